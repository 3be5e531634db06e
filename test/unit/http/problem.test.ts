import { afterEach, describe, expect, test } from '@jest/globals';
import type { Middleware } from 'koa';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses, retryAfterSeconds } from '../../../src/http/problem.ts';
import { requestIds } from '../../../src/http/request-scope.ts';
import { serve, type Served } from './serve.ts';

let served: Served | undefined;

afterEach(async () => {
  await served?.close();
});

/** Sends one request. `logged` has the lines of the log. */
async function ask(handler: Middleware) {
  const logged: string[] = [];
  const sink = new Writable({ write: (line: Buffer, _encoding, done) => done(void logged.push(line.toString())) });
  served = await serve(requestIds(), problemResponses(pino({ level: 'info' }, sink)), handler);
  const response = await fetch(served.url, { headers: { 'X-Request-Id': 'r-1' } });
  const text = await response.text();
  return {
    response,
    text,
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined,
    logged: logged.join(''),
  };
}

describe('the answer to a thrown error', () => {
  test('is a problem document with the status of its code', async () => {
    const { response, body } = await ask(() => {
      throw new ServiceError('upload_conflict', 'Another one.', { id: 'x' });
    });
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      409,
      'application/problem+json',
      'no-store',
    ]);
    expect(body).toEqual({
      type: '/problems/upload_conflict',
      title: 'Another file has this id',
      status: 409,
      detail: 'Another one.',
      code: 'upload_conflict',
      id: 'x',
    });
  });

  test('has the headers of the error, and Retry-After in whole seconds', async () => {
    const { response } = await ask(() => {
      throw new ServiceError('service_unavailable', 'Away.', { retryAfterMs: 2000, headers: { Allow: 'GET' } });
    });
    expect([response.status, response.headers.get('allow')]).toEqual([503, 'GET']);
    expect(['2', '3']).toContain(response.headers.get('retry-after'));
  });

  test('has the code that an error of another layer carries', async () => {
    const { response, body } = await ask(() => {
      throw Object.assign(new Error('Too many.'), { code: 'too_many_held', retryAfterMs: 1 });
    });
    expect([response.status, body]).toEqual([
      503,
      expect.objectContaining({ code: 'too_many_held', detail: 'Too many.' }),
    ]);
    expect(response.headers.get('retry-after')).not.toBeNull();
    // Otherwise the connections of many such clients would leave none for an upload.
    expect(response.headers.get('connection')).toBe('close');
  });

  test.each([
    ['an unknown error', new Error('ENOENT /var/secret/key at line 7')],
    ['an error of a library', Object.assign(new Error('/var/secret is missing'), { code: 'ENOENT' })],
    ['an error with a status', Object.assign(new Error('/var/secret'), { status: 404, expose: true })],
    ['no error at all', 'secret'],
  ])('is a 500 without details if %s was thrown, and the error is logged', async (_what, thrown) => {
    const { response, text, body, logged } = await ask(() => {
      throw thrown as Error;
    });
    expect([response.status, body]).toEqual([500, expect.objectContaining({ code: 'internal_error' })]);
    expect(text).not.toMatch(/secret|ENOENT|\bat \b|stack/);
    expect(logged).toContain('secret');
    expect(logged).toContain('"requestId":"r-1"');
  });

  test('names the upload in the address, unless the error names another one', async () => {
    const id = '0b0c7e4e-6f0b-4c58-9a43-0d5b8f0e6c11';
    const idIn = async (params: unknown, own?: string) => {
      const { body } = await ask((ctx) => {
        ctx['params'] = params;
        throw new ServiceError('bad_since', 'No.', own === undefined ? {} : { id: own });
      });
      await served?.close();
      return (body as { id?: string }).id;
    };
    expect([
      await idIn({ id }),
      await idIn({ id }, 'x'),
      await idIn({ id: '../etc' }),
      await idIn({}),
      await idIn(undefined),
    ]).toEqual([id, 'x', undefined, undefined, undefined]);
    served = undefined;
  });

  test('is not in the error log if the client has caused it', async () => {
    const { logged } = await ask(() => {
      throw new ServiceError('bad_since', 'No.');
    });
    expect(logged).toBe('');
  });

  test('has no headers of the file that was about to be sent', async () => {
    const { response } = await ask((ctx) => {
      ctx.set({
        ETag: '"x"',
        'Content-Disposition': 'attachment; filename="x"',
        'Accept-Ranges': 'bytes',
        'Content-Range': 'bytes 0-1/2',
      });
      throw new ServiceError('unknown_upload', 'The file is gone.');
    });
    for (const name of ['etag', 'content-disposition', 'content-range', 'accept-ranges'])
      expect([name, response.headers.get(name)]).toEqual([name, null]);
    expect(response.headers.get('x-request-id')).toBe('r-1');
  });
});

describe('the answer to an unhandled request', () => {
  test('is a 404 problem', async () => {
    const { response, body } = await ask((_ctx, next) => next());
    expect([response.status, body]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  });

  test('is left to a handler that writes the response itself', async () => {
    const { response, text } = await ask((ctx) => {
      ctx.respond = false;
      ctx.res.end('mine');
    });
    expect([response.status, text]).toEqual([404, 'mine']);
  });
});

test('Retry-After is a whole number of at least one second, and never less than requested', () => {
  for (const ms of [0, 1, 999, 1000, 1001, 60_000]) {
    const seconds = retryAfterSeconds(ms);
    expect(seconds).toMatch(/^[1-9]\d*$/);
    expect(Number(seconds) * 1000).toBeGreaterThanOrEqual(ms);
    expect(Number(seconds)).toBeLessThanOrEqual(Math.max(1, Math.ceil((ms * 1.25) / 1000)));
  }
});
