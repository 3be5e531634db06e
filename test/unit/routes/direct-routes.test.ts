import Router from '@koa/router';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openCaller } from '../../../src/access/caller.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { DirectUploads, type DirectUploadParts } from '../../../src/roads/direct/direct-uploads.ts';
import { directRoutes } from '../../../src/routes/direct-routes.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';

describe('a storage that is no bucket', () => {
  let served: Served;

  beforeAll(async () => {
    const router = new Router({ strict: true });
    // Requests are refused before any other part is used.
    const direct = new DirectUploads({ storage: {} } as unknown as DirectUploadParts);
    directRoutes(router, {
      log: silentLog,
      addressOf: () => '192.0.2.1',
      callers: { ofCreation: async () => openCaller },
      roadsOf: () => ({ direct }),
    });
    served = await serve(problemResponses(silentLog), routesOf(router));
  });

  afterAll(async () => await served.close());

  test.each([
    ['POST', '/uploads/direct', '{"fileName":"a","size":1}'],
    ['POST', '/uploads/direct', '{'],
    ['GET', '/uploads/1/direct/parts?from=0', undefined],
    ['GET', '/uploads/1/direct/stored', undefined],
    ['POST', '/uploads/1/direct/complete', '{"parts":[]}'],
  ])('answers every direct request with 501, also a malformed one (%s %s %s)', async (method, path, body) => {
    const response = await fetch(`${served.url}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
    expect([response.status, await response.json()]).toMatchObject([501, { code: 'no_direct_uploads' }]);
  });
});
