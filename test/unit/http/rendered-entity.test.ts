import '../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Context } from 'koa';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { RenderedEntity } from '../../../src/http/rendered-entity.ts';
import { requestIds } from '../../../src/http/request-scope.ts';
import { unreadBodies } from '../../../src/http/unread-body.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { serve, type Served } from './serve.ts';

const DOCUMENT = { text: 'ü' };
const entity = new RenderedEntity(DOCUMENT, { ETag: 'W/"7"' });

let served: Served;
/** True if the response was written when the setter returned. */
let isWritten: boolean | undefined;
/** Called with the response before the service gets it, like the application around the service. */
let prepare: (ctx: Context) => void;

beforeEach(async () => {
  isWritten = undefined;
  prepare = () => undefined;
  const manager = new DeferredManager({ reportFault: (error) => served.faults.push(error) });
  served = await serve(
    (ctx, next) => {
      prepare(ctx);
      return next();
    },
    requestIds(),
    unreadBodies(100),
    problemResponses(silentLog),
    deferredMiddleware(manager),
    (ctx) => {
      ctx.set('Preference-Applied', 'wait=1');
      const result = new DeferredResult({
        start: () => {
          result.setResult(entity);
          isWritten = ctx.res.writableEnded;
        },
      });
      return result;
    },
  );
});

afterEach(async () => {
  await served.close();
});

describe('RenderedEntity', () => {
  test('is written before the setter returns, with the headers of the handler and of every answer', async () => {
    const response = await fetch(served.url, { headers: { 'X-Request-Id': 'r1' } });
    expect(await response.json()).toEqual(DOCUMENT);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'content-length': '13',
      'content-type': 'application/json; charset=utf-8',
      etag: 'W/"7"',
      'preference-applied': 'wait=1',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'r1',
    });
    expect([response.status, isWritten, served.faults]).toEqual([200, true, []]);
  });

  test('keeps the headers that the application around an embedded service has set', async () => {
    prepare = (ctx) => ctx.res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    const response = await fetch(served.url);
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('is written by middleware that reads the headers of writeHead as an object', async () => {
    let given: unknown;
    prepare = ({ res }) => {
      const writeHead = res.writeHead.bind(res) as (status: number, headers: OutgoingHttpHeaders) => ServerResponse;
      Object.assign(res, {
        writeHead(status: number, headers: OutgoingHttpHeaders) {
          given = headers;
          return writeHead(status, headers);
        },
      });
    };
    await (await fetch(served.url)).text();
    expect(given).toMatchObject({ ETag: 'W/"7"', 'Content-Length': '13' });
  });

  test('answers HEAD with the headers of GET', async () => {
    const response = await fetch(served.url, { method: 'HEAD' });
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['13', '']);
  });

  test('lets middleware close the connection if a body was not read', async () => {
    const client = await served.connect();
    client.write('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbeginning');
    const [head, body] = (await text(client)).split('\r\n\r\n');
    expect(head).toMatch(/\r\nConnection: close/);
    expect(head).toMatch(/\r\nX-Request-Id: /);
    expect(JSON.parse(body ?? '')).toEqual(DOCUMENT);
    expect(isWritten).toBe(false);
  });
});
