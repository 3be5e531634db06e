import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCaller } from '../../../src/access/caller.ts';
import { ServiceError } from '../../../src/errors.ts';
import { methodNotAllowed } from '../../../src/http/method-not-allowed.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { withoutTrailingSlash } from '../../../src/http/trailing-slash.ts';
import type { TusRequest } from '../../../src/roads/tus/tus-endpoint.ts';
import { tusRoutes, tusVersion } from '../../../src/routes/tus-routes.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';
import { ID } from '../record/states.ts';

let served: Served;
let handled: TusRequest[];

beforeEach(async () => {
  handled = [];
  const router = new Router({ strict: true });
  const tus = {
    handle: (request: TusRequest) => {
      handled.push(request);
      if (request.method === 'DELETE') throw new ServiceError('upload_gone', 'Gone.');
      return Promise.resolve({ status: request.method === 'POST' ? 201 : 204, headers: {} });
    },
  };
  tusRoutes(router, {
    roadsOf: () => ({ tus }),
    callers: { ofCreation: async () => openCaller },
    log: silentLog,
    addressOf: () => '192.0.2.1',
  });
  served = await serve(
    problemResponses(silentLog),
    tusVersion(),
    withoutTrailingSlash(['/files']),
    routesOf(router),
    methodNotAllowed(),
  );
});
afterEach(async () => {
  await served.close();
});

const ask = async (method: string, path: string, headers: Record<string, string> = {}) =>
  await fetch(served.url + path, { method, headers });

describe('Tus-Resumable', () => {
  test.each([
    ['POST', '/files', 201],
    ['POST', '/files/', 201],
    ['HEAD', `/files/${ID}`, 204],
    ['HEAD', '/files/x', 400],
    ['PATCH', '/files/x', 400],
    ['DELETE', `/files/${ID}`, 410],
    ['GET', '/files', 405],
    ['PUT', '/files/', 405],
    ['GET', `/files/${ID}`, 405],
    ['POST', `/files/${ID}`, 405],
    ['GET', '/files/x/y', 404],
    ['GET', '/FILES', 405],
  ])('is on the answer to %s %s (%d)', async (method, path, status) => {
    const answer = await ask(method, path);
    expect([answer.status, answer.headers.get('tus-resumable')]).toEqual([status, '1.0.0']);
  });

  test('is not on other answers', async () => {
    expect((await ask('GET', '/filesystem')).headers.get('tus-resumable')).toBeNull();
  });
});

describe('Allow', () => {
  test.each([
    ['/files', 'POST, OPTIONS', 'GET'],
    ['/files/', 'POST, OPTIONS', 'GET'],
    [`/files/${ID}`, 'DELETE, HEAD, PATCH, POST, OPTIONS', 'GET'],
    [`/files/${ID}`, 'DELETE, HEAD, PATCH, POST, OPTIONS', 'POST'],
  ])('of %s is %s, in the answer to OPTIONS and in the 405 for %s', async (path, allow, method) => {
    const options = await ask('OPTIONS', path);
    const rejected = await ask(method, path);
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
    expect([rejected.status, rejected.headers.get('allow')]).toEqual([405, allow]);
  });
});

test('a POST with X-HTTP-Method-Override has the method that it names', async () => {
  expect((await ask('POST', `/files/${ID}`, { 'X-HTTP-Method-Override': 'patch' })).status).toBe(204);
  expect(handled).toMatchObject([{ method: 'PATCH', id: ID }]);
});
