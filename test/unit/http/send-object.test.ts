import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { problemResponses } from '../../../src/http/problem.ts';
import { sendObject } from '../../../src/http/send-object.ts';
import type { ByteRange } from '../../../src/storage/storage.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { serve, type Served } from './serve.ts';

const BYTES = Buffer.from('0123456789');
const ETAG = '"tag"';

let served: Served;

beforeAll(async () => {
  const storage = {
    async read(key: string, range?: ByteRange) {
      if (key === 'gone') return undefined;
      return Readable.from([range === undefined ? BYTES : BYTES.subarray(range.start, range.end + 1)], {
        objectMode: false,
      });
    },
  };
  served = await serve(problemResponses(silentLog), async (ctx) => {
    const sizeBytes = ctx.path === '/empty' ? 0 : BYTES.length;
    const object = {
      key: ctx.path.slice(1),
      sizeBytes,
      type: 'image/jpeg',
      etag: ETAG,
      cacheControl: 'private, no-cache',
      missing: 'upload_gone',
    } as const;
    await sendObject(
      ctx,
      storage,
      ctx.path === '/named' ? { ...object, disposition: 'attachment; filename="a.jpg"' } : object,
    );
  });
});
afterAll(async () => {
  await served.close();
});

async function ask(headers: Record<string, string> = {}, path = '/x', method = 'GET') {
  const response = await fetch(served.url + path, { headers, method });
  const text = await response.text();
  const header = (name: string) => response.headers.get(name);
  return { status: response.status, text, header, length: header('content-length'), range: header('content-range') };
}

describe('an object', () => {
  test('is sent whole with all headers for caches and players', async () => {
    const { status, text, header, length } = await ask();
    expect([status, text, length]).toEqual([200, '0123456789', '10']);
    expect(['etag', 'content-type', 'accept-ranges', 'cache-control', 'content-disposition'].map(header)).toEqual([
      ETAG,
      'image/jpeg',
      'bytes',
      'private, no-cache',
      null,
    ]);
  });

  test('has a Content-Disposition if requested', async () => {
    expect((await ask({}, '/named')).header('content-disposition')).toBe('attachment; filename="a.jpg"');
  });

  test('is described by HEAD without its bytes', async () => {
    const { status, text, length, header } = await ask({}, '/x', 'HEAD');
    expect([status, text, length, header('etag'), header('content-type')]).toEqual([200, '', '10', ETAG, 'image/jpeg']);
  });

  test('that is missing from the storage is a problem of its kind', async () => {
    const { status, header, text } = await ask({}, '/gone');
    expect([status, header('content-type')]).toEqual([410, 'application/problem+json']);
    expect(text).toContain('upload_gone');
  });
});

describe('an object with another ETag than If-Match', () => {
  test.each(['/x', '/named'])('is not sent, whole or in part (412)', async (path) => {
    const asked = await Promise.all(
      [{}, { Range: 'bytes=0-1' }].map((range) => ask({ 'If-Match': '"other"', ...range }, path)),
    );
    expect(asked.map(({ status, header }) => [status, header('etag')])).toEqual([
      [412, null],
      [412, null],
    ]);
    expect((await ask({ 'If-Match': ETAG }, path)).status).toBe(200);
  });
});

describe('a range', () => {
  test.each([
    ['bytes=0-0', '0', '0-0'],
    ['bytes=2-5', '2345', '2-5'],
    ['bytes=2-', '23456789', '2-9'],
    ['bytes=9-', '9', '9-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-10', '0123456789', '0-9'],
    ['bytes=-99', '0123456789', '0-9'],
    ['bytes=5-99', '56789', '5-9'],
    ['bytes=5-999999999999999999999999', '56789', '5-9'],
  ])('%s is a 206', async (header, text, range) => {
    const answer = await ask({ Range: header });
    expect([answer.status, answer.text, answer.range, answer.length]).toEqual([
      206,
      text,
      `bytes ${range}/10`,
      String(text.length),
    ]);
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s is a 416 that names the size',
    async (header) => {
      const answer = await ask({ Range: header });
      expect([answer.status, answer.range, answer.header('content-type')]).toEqual([
        416,
        'bytes */10',
        'application/problem+json',
      ]);
      expect([answer.header('etag'), answer.header('content-disposition')]).toEqual([null, null]);
    },
  );

  test.each([
    'bytes=',
    'bytes=-',
    'bytes',
    'items=0-1',
    'bytes=a-b',
    'bytes=0-1,3-4',
    'bytes=1.5-2',
    'bytes=--1',
    '0-1',
  ])('that is not supported (%s) is ignored', async (header) => {
    const { status, text, range } = await ask({ Range: header });
    expect([status, text, range]).toEqual([200, '0123456789', null]);
  });

  test('of an empty object is a 416', async () => {
    expect(await ask({ Range: 'bytes=0-' }, '/empty')).toMatchObject({ status: 416, range: 'bytes */0' });
  });

  test('is ignored for HEAD (RFC 9110 section 14.2)', async () => {
    const { status, length, range } = await ask({ Range: 'bytes=2-5' }, '/x', 'HEAD');
    expect([status, length, range]).toEqual([200, '10', null]);
  });
});

describe('If-Range', () => {
  test('with the tag of the object returns the range', async () => {
    expect(await ask({ Range: 'bytes=2-5', 'If-Range': ETAG })).toMatchObject({ status: 206, text: '2345' });
  });

  test.each(['"other"', `W/${ETAG}`, 'Wed, 21 Oct 2015 07:28:00 GMT'])(
    'with another validator (%s) returns the whole object',
    async (validator) => {
      expect(await ask({ Range: 'bytes=2-5', 'If-Range': validator })).toMatchObject({
        status: 200,
        text: '0123456789',
      });
      expect(await ask({ Range: 'bytes=99-', 'If-Range': validator })).toMatchObject({ status: 200 });
    },
  );
});

describe('If-None-Match', () => {
  test.each([ETAG, `W/${ETAG}`, '*', `"other", ${ETAG}`])(
    '%s is a 304 without a body, for GET and HEAD',
    async (tag) => {
      for (const method of ['GET', 'HEAD']) {
        const { status, text, header } = await ask({ 'If-None-Match': tag, 'Cache-Control': '' }, '/named', method);
        expect([status, text, header('etag'), header('cache-control')]).toEqual([304, '', ETAG, 'private, no-cache']);
      }
    },
  );

  test('with another tag returns the object', async () => {
    expect(await ask({ 'If-None-Match': '"other"' })).toMatchObject({ status: 200, text: '0123456789' });
  });

  test('comes before the range (RFC 9110 section 13.2.2)', async () => {
    expect(await ask({ 'If-None-Match': ETAG, Range: 'bytes=2-5', 'Cache-Control': '' })).toMatchObject({
      status: 304,
      range: null,
    });
  });
});
