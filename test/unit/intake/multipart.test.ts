import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../src/errors.ts';
import { readMultipart, type MultipartLimits } from '../../../src/intake/multipart.ts';
import { bytesOf, codeOf, fakeRequest, FORM_HEADERS, formBody, wholeRequest } from '../../helpers/fake-request.ts';

const LIMITS: MultipartLimits = { maxFiles: 3, maxFields: 2, maxFieldBytes: 16, maxRequestBytes: 100_000 };
const SIGNAL = new AbortController().signal;

type Seen = { field: string; value: string } | { file: string; fileName: string; bytes: string };

async function readAll(request: IncomingMessage, limits = LIMITS, signal = SIGNAL): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const part of readMultipart(request, limits, signal)) {
    if (part.partType === 'field') seen.push({ field: part.name, value: part.value });
    else
      seen.push({
        file: part.fieldName,
        fileName: part.fileName,
        bytes: (await bytesOf(part.chunks)).toString('latin1'),
      });
  }
  return seen;
}

async function fileNameFor(disposition: string): Promise<string | undefined> {
  const [seen] = await readAll(wholeRequest(FORM_HEADERS, formBody({ name: '', disposition, bytes: 'x' })));
  return seen !== undefined && 'fileName' in seen ? seen.fileName : undefined;
}

// The file contains bytes that look like a boundary.
const BODY = formBody(
  { name: 'options', bytes: '{}' },
  { name: 'a', fileName: 'ü.jpg', bytes: 'one\r\n------boundary\r\n\r\n-' },
  { name: 'b', fileName: 'empty', bytes: '' },
);
const SEEN: Seen[] = [
  { field: 'options', value: '{}' },
  { file: 'a', fileName: 'ü.jpg', bytes: 'one\r\n------boundary\r\n\r\n-' },
  { file: 'b', fileName: 'empty', bytes: '' },
];

describe('the parts of a body', () => {
  test('come in the order sent, fields and files', async () => {
    expect(await readAll(wholeRequest(FORM_HEADERS, BODY))).toEqual(SEEN);
  });

  test('are the same if the body is cut in two at any byte', async () => {
    for (let at = 1; at < BODY.length; at++) {
      expect([at, await readAll(wholeRequest(FORM_HEADERS, BODY.subarray(0, at), BODY.subarray(at)))]).toEqual([
        at,
        SEEN,
      ]);
    }
  });

  test('are the same byte by byte, and in any other chunks', async () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BODY.length - 1 }));
    const everyByte = Array.from({ length: BODY.length - 1 }, (_, index) => index + 1);
    const inChunks = async (at: number[]) => {
      const ends = [...at.sort((a, b) => a - b), BODY.length];
      return await readAll(
        wholeRequest(FORM_HEADERS, ...ends.map((end, index) => BODY.subarray(ends[index - 1] ?? 0, end))),
      );
    };
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => expect(await inChunks(at)).toEqual(SEEN)),
      { examples: [[everyByte]], numRuns: 60 },
    );
  });

  test('come while the body is still being received', async () => {
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const parts = readMultipart(request, LIMITS, SIGNAL);
    send(BODY.subarray(0, BODY.length / 2));
    expect((await parts.next()).value).toMatchObject({ partType: 'field', value: '{}' });
    send(BODY.subarray(BODY.length / 2));
    end();
    const file = (await parts.next()).value;
    expect(file?.partType).toBe('file');
    await parts.return(undefined);
  });
});

describe('an incomplete body', () => {
  test('is a 400 if it ends too early at any byte', async () => {
    // The line break behind the last boundary may be missing.
    const closing = BODY.length - 2;
    const codes = new Map<number, string>();
    for (let end = 0; end < closing; end++)
      codes.set(end, await codeOf(readAll(wholeRequest(FORM_HEADERS, BODY.subarray(0, end)))));
    expect([...codes].filter(([, code]) => code !== 'body_cut_short' && code !== 'bad_multipart')).toEqual([]);
  });

  test('is body_cut_short in the middle of a file that is being read', async () => {
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const reading = codeOf(readAll(request));
    send(BODY.subarray(0, BODY.indexOf('one') + 2));
    await turn();
    end();
    expect(await reading).toBe('body_cut_short');
  });

  test.each([0, 10, 60, BODY.indexOf('one') + 2, BODY.length - 8])(
    'is upload_interrupted if the client disconnects after %d bytes',
    async (end) => {
      const { request, send, breakOff } = fakeRequest(FORM_HEADERS);
      const reading = codeOf(readAll(request));
      send(BODY.subarray(0, end));
      await turn();
      breakOff();
      expect(await reading).toBe('upload_interrupted');
      expect(request.listenerCount('data') + request.listenerCount('close')).toBe(0);
    },
  );

  test('ends with the reason of the signal, in a file and between parts', async () => {
    for (const end of [0, BODY.indexOf('one') + 2]) {
      const controller = new AbortController();
      const { request, send } = fakeRequest(FORM_HEADERS);
      const reading = codeOf(readAll(request, LIMITS, controller.signal));
      send(BODY.subarray(0, end));
      await turn();
      controller.abort(new ServiceError('upload_too_slow', 'Slow.'));
      expect(await reading).toBe('upload_too_slow');
      expect(request.destroyed).toBe(false);
    }
  });

  test('ends with an event that happened before it was read', async () => {
    const slow = AbortSignal.abort(new ServiceError('upload_too_slow', 'Slow.'));
    expect(await codeOf(readAll(wholeRequest(FORM_HEADERS, BODY), LIMITS, slow))).toBe('upload_too_slow');
    const { request, send, end, breakOff } = fakeRequest(FORM_HEADERS);
    request.on('error', () => undefined);
    send(BODY);
    end();
    breakOff();
    await turn();
    expect(await codeOf(readAll(request))).toBe('upload_interrupted');
  });

  test('is upload_interrupted if the client disconnects after the last byte and before all was read', async () => {
    const { request, send, end, breakOff } = fakeRequest(FORM_HEADERS);
    const parts = readMultipart(request, { ...LIMITS, maxRequestBytes: 10_000_000 }, SIGNAL);
    const body = formBody({ name: 'f', fileName: 'a', bytes: Buffer.alloc(8_000_000, 'x') });
    for (let at = 0; at < body.length; at += 65_536) send(body.subarray(at, at + 65_536));
    end();
    expect((await parts.next()).value).toMatchObject({ partType: 'file' });
    const next = codeOf(parts.next());
    breakOff();
    expect(await next).toBe('upload_interrupted');
  });

  test('is bad_multipart if a part has an invalid head', async () => {
    const body = BODY.toString('latin1').replace('Content-Disposition: form-data; name="a"', ': : \u0000');
    expect(await codeOf(readAll(wholeRequest(FORM_HEADERS, Buffer.from(body, 'latin1'))))).toBe('bad_multipart');
  });
});

describe('the headers of a form', () => {
  test.each([
    ['not_multipart', {}],
    ['not_multipart', { 'content-type': 'image/jpeg' }],
    ['not_multipart', { 'content-type': 'multipart/form-data-x; boundary=b' }],
    ['not_multipart', { 'content-type': 'multipart/mixed; boundary=b' }],
    ['missing_boundary', { 'content-type': 'multipart/form-data' }],
    ['missing_boundary', { 'content-type': 'multipart/form-data; boundary=' }],
    ['missing_boundary', { 'content-type': 'multipart/form-data; boundary=""' }],
    ['missing_boundary', { 'content-type': 'multipart/form-data; charset=utf-8' }],
    ['bad_multipart', { 'content-type': `${FORM_HEADERS['content-type']}; boundary=other` }],
    ['bad_multipart', { 'content-type': `multipart/form-data; boundary=${'b'.repeat(71)}` }],
    ['unsupported_encoding', { ...FORM_HEADERS, 'content-encoding': 'gzip' }],
    ['unsupported_encoding', { ...FORM_HEADERS, 'content-encoding': 'identity, gzip' }],
    ['unsupported_encoding', { ...FORM_HEADERS, 'transfer-encoding': 'gzip, chunked' }],
  ])('cause %s if they are %j', async (code, headers) => {
    expect(await codeOf(readAll(wholeRequest(headers, BODY)))).toBe(code);
  });

  test('may have a type in another case, and the encoding identity', async () => {
    const headers = {
      'content-type': FORM_HEADERS['content-type'].replace('multipart/form-data', 'Multipart/Form-Data'),
      'content-encoding': 'Identity',
    };
    expect(await readAll(wholeRequest({ ...headers, 'transfer-encoding': 'Chunked' }, BODY))).toEqual(SEEN);
  });

  test('cause an answer with the supported encodings if they have another one', async () => {
    const reading = readAll(wholeRequest({ ...FORM_HEADERS, 'content-encoding': 'br' }, BODY));
    await expect(reading).rejects.toMatchObject({ headers: { 'Accept-Encoding': 'identity' } });
  });

  test('may have a boundary of 70 characters in quotes, among other parameters', async () => {
    const boundary = `${'b'.repeat(34)} '${'b'.repeat(34)}`;
    const body = Buffer.from(BODY.toString('latin1').replaceAll('------boundary7', `--${boundary}`), 'latin1');
    const headers = { 'content-type': `multipart/form-data; charset=utf-8; boundary="${boundary}"; x=y` };
    expect(await readAll(wholeRequest(headers, body))).toEqual(SEEN);
  });
});

describe('in a form,', () => {
  const mixed = (disposition: string, type: string, bytes = 'x') =>
    wholeRequest(FORM_HEADERS, formBody({ name: '', disposition: `${disposition}\r\nContent-Type: ${type}`, bytes }));

  test.each(['form-data; name="files"', 'form-data; name="files"; filename="a"'])(
    'a nested form is rejected (%s)',
    async (disposition) => {
      const reading = readAll(mixed(disposition, 'multipart/mixed; boundary=inner', '--inner\r\n\r\nx\r\n--inner--'));
      await expect(reading).rejects.toMatchObject({
        code: 'bad_multipart',
        message: expect.stringContaining('itself multipart') as unknown,
      });
    },
  );

  test.each(['image/jpeg', 'text/csv', 'application/vnd.ms-excel'])(
    'a part of type %s without a file name is rejected (400)',
    async (type) => {
      await expect(readAll(mixed('form-data; name="f"', type, 'v'.repeat(100)))).rejects.toMatchObject({
        code: 'bad_multipart',
        message: expect.stringContaining(`${type} has no file name`) as unknown,
      });
    },
  );

  test('a field with binary content is rejected (400), because it is a file without a name', async () => {
    await expect(readAll(mixed('form-data; name="f"', 'text/plain', 'a\0b'))).rejects.toMatchObject({
      code: 'bad_multipart',
      message: expect.stringContaining('binary content has no file name') as unknown,
    });
  });

  test.each(['image/jpeg', 'text/csv', 'application/octet-stream'])(
    'a part of type %s with an empty file name is a file',
    async (type) => {
      expect(await readAll(mixed('form-data; name="f"; filename=""', type))).toEqual([
        { file: 'f', fileName: '', bytes: 'x' },
      ]);
    },
  );

  test('options are a field even as a JSON Blob, which browsers send with a file name', async () => {
    expect(await readAll(mixed('form-data; name="options"; filename="blob"', 'application/json', '{}'))).toEqual([
      { field: 'options', value: '{}' },
    ]);
    expect(await readAll(mixed('form-data; name="other"; filename="blob"', 'application/json', '{}'))).toEqual([
      { file: 'other', fileName: 'blob', bytes: '{}' },
    ]);
  });

  test('a part with Content-Range is rejected (400), because it is only a piece of a file', async () => {
    const part = 'form-data; name="f"; filename="a"\r\nContent-Range: bytes 0-59/500';
    await expect(readAll(mixed(part, 'text/csv'))).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('tus') as unknown,
    });
  });

  test.each(['base64', 'Quoted-Printable'])(
    'a file in %s is not stored as the text that it is written in',
    async (encoding) => {
      const part = (coding: string) =>
        formBody({
          name: '',
          disposition: `form-data; name="f"; filename="a"\r\nContent-Transfer-Encoding: ${coding}`,
          bytes: '/9j/',
        });
      expect(await codeOf(readAll(wholeRequest(FORM_HEADERS, part(encoding))))).toBe('unsupported_encoding');
      expect(await readAll(wholeRequest(FORM_HEADERS, part('binary')))).toHaveLength(1);
    },
  );

  test('fields may be JSON, and a nameless octet-stream is a file', async () => {
    expect(await readAll(mixed('form-data; name="options"', 'application/json', '{}'))).toEqual([
      { field: 'options', value: '{}' },
    ]);
    expect(await readAll(mixed('form-data; name="f"; filename=""', 'application/octet-stream'))).toEqual([
      { file: 'f', fileName: '', bytes: 'x' },
    ]);
  });

  test.each(['attachment; name="f"; filename="a"', 'file; filename="a"', 'form-data-x; name="f"', ''])(
    'a part with the disposition %j is rejected (400) beside a good file',
    async (disposition) => {
      const file = { name: 'f', fileName: 'a', bytes: 'x' };
      const body = formBody(file, { name: '', disposition, bytes: 'x' }, file);
      await expect(readAll(wholeRequest(FORM_HEADERS, body))).rejects.toMatchObject({
        code: 'bad_multipart',
        message: expect.stringContaining('Content-Disposition: form-data') as unknown,
      });
    },
  );
});

test('a part with any headers between two files is read, or the form is rejected, but no part is lost', async () => {
  const texts =
    'Content-Disposition|Content-Type|X|:| |\t|\r\n|\r|\n|;|=|"|\\|%|é|form-data|attachment|name|filename|filename*|' +
    'UTF-8|image/png|text/csv|Content-Disposition: form-data; name="f"|; filename="|------boundary7|\r\n\r\n';
  const pieces = fc.array(fc.constantFrom(...texts.split('|')), { maxLength: 14 });
  // Half of the heads begin correctly.
  const heads = fc.tuple(fc.constantFrom('', '\r\nContent-Disposition: form-data'), pieces);
  const file = { name: 'f', fileName: 'a', bytes: 'x' };
  const limits = { ...LIMITS, maxFields: 3, maxFieldBytes: 1000 };
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(heads, async ([begun, more]) => {
      const [first, last] = [formBody(file), formBody(file)];
      const between = Buffer.from(`------boundary7${begun}${more.join('')}\r\n\r\ny\r\n`, 'latin1');
      const body = Buffer.concat([first.subarray(0, first.indexOf('------boundary7--')), between, last]);
      // A boundary directly before another one makes no part.
      const sent = `\r\n${body.toString('latin1')}`.match(/\r\n------boundary7[ \t]*\r\n(?!------boundary7)/g);
      const seen = await readAll(wholeRequest(FORM_HEADERS, body), limits).catch((error: unknown) => error);
      if (seen instanceof ServiceError) return;
      taken += 1;
      expect(seen).toHaveLength(sent?.length ?? 0);
    }),
    { numRuns: 500 },
  );
  expect(taken).toBeGreaterThan(10);
});

describe('delimiters', () => {
  const sent = (from: string, to: string) => Buffer.from(BODY.toString('latin1').replaceAll(from, to), 'latin1');
  const inOne = async (body: Buffer) => await readAll(wholeRequest(FORM_HEADERS, body));
  const byteByByte = async (body: Buffer) =>
    await readAll(wholeRequest(FORM_HEADERS, ...Array.from(body, (byte) => Buffer.from([byte]))));

  test.each([' ', '\t', ' \t  '])('may be padded with %j (RFC 2046 section 5.1.1)', async (padding) => {
    const body = sent('boundary7\r', `boundary7${padding}\r`);
    expect(await inOne(body)).toEqual(SEEN);
    expect(await byteByByte(body)).toEqual(SEEN);
  });

  test.each(['\n', 'X\r\n', '-\r\n', ' x\r\n', ' --\r\n', '--x\r\n', '-- x'])(
    'followed by %j are rejected (400), because a part would be lost or cut',
    async (end) => {
      const body = sent('boundary7\r\nContent-Disposition: form-data; name="b"', `boundary7${end}Content-`);
      expect(await codeOf(inOne(body))).toBe('bad_multipart');
      expect(await codeOf(byteByByte(body))).toBe('bad_multipart');
    },
  );

  test('within the content of a file are rejected (400) if other characters follow', async () => {
    const body = formBody({ name: 'a', fileName: 'a.csv', bytes: 'a,b\r\n------boundary7-note,3\r\n4,5' });
    await expect(inOne(body)).rejects.toMatchObject({
      code: 'bad_multipart',
      message: expect.stringContaining('begins with the boundary') as unknown,
    });
    expect(await codeOf(byteByByte(body))).toBe('bad_multipart');
  });

  test('may directly follow the headers of a part without content', async () => {
    const body = sent('octet-stream\r\n\r\n\r\n', 'octet-stream\r\n\r\n');
    expect(await inOne(body)).toEqual(SEEN);
    expect(await byteByByte(body)).toEqual(SEEN);
  });

  test.each(['', '\r\n', '\n', ' \t', ' \r\nan epilogue'])('that close the form may be followed by %j', async (end) => {
    const body = Buffer.concat([BODY.subarray(0, -2), Buffer.from(end)]);
    expect(await inOne(body)).toEqual(SEEN);
    expect(await byteByByte(body)).toEqual(SEEN);
  });

  test('may be doubled', async () => {
    const body = Buffer.concat([Buffer.from('------boundary7\r\n'), BODY]);
    expect(await inOne(body)).toEqual(SEEN);
    expect(await byteByByte(body)).toEqual(SEEN);
  });
});

describe('within the limits of a form,', () => {
  const file = (name: string) => ({ name, fileName: name, bytes: name });

  test('the allowed number of files is accepted, and one more is too_many_files', async () => {
    const most = ['1', '2', '3'].map(file);
    expect(await readAll(wholeRequest(FORM_HEADERS, formBody(...most)))).toHaveLength(3);
    expect(await codeOf(readAll(wholeRequest(FORM_HEADERS, formBody(...most, file('4')))))).toBe('too_many_files');
  });

  test('the allowed number of fields is accepted, and one more is too_many_fields', async () => {
    const most = [
      { name: 'x', bytes: '1' },
      { name: 'y', bytes: '2' },
    ];
    expect(await readAll(wholeRequest(FORM_HEADERS, formBody(...most)))).toHaveLength(2);
    expect(
      await codeOf(readAll(wholeRequest(FORM_HEADERS, formBody(...most, file('1'), { name: 'z', bytes: '3' })))),
    ).toBe('too_many_fields');
  });

  test('the allowed numbers of files and fields are accepted together', async () => {
    const fields = ['x', 'y'].map((name) => ({ name, bytes: '1' }));
    expect(await readAll(wholeRequest(FORM_HEADERS, formBody(...fields, ...['1', '2', '3'].map(file))))).toHaveLength(
      5,
    );
  });

  test('a field of the allowed size is accepted, and one more byte is field_too_large', async () => {
    const field = (bytes: number) =>
      wholeRequest(FORM_HEADERS, formBody({ name: 'x', bytes: 'v'.repeat(bytes) }, file('1')));
    expect((await readAll(field(16)))[0]).toEqual({ field: 'x', value: 'v'.repeat(16) });
    expect(await codeOf(readAll(field(17)))).toBe('field_too_large');
  });

  test('a body of the allowed size is accepted, and one more byte is request_too_large', async () => {
    const exact = { ...LIMITS, maxRequestBytes: BODY.length };
    expect(await readAll(wholeRequest(FORM_HEADERS, BODY), exact)).toEqual(SEEN);
    for (const chunks of [[BODY], Array.from(BODY, (byte) => Buffer.from([byte]))]) {
      expect(
        await codeOf(readAll(wholeRequest(FORM_HEADERS, ...chunks), { ...exact, maxRequestBytes: BODY.length - 1 })),
      ).toBe('request_too_large');
    }
  });
});

describe('file names', () => {
  test.each([
    ['你好 ü.jpg', 'form-data; name="f"; filename="你好 ü.jpg"'],
    ['€ rates.jpg', 'form-data; name="f"; filename="EURO"; filename*=UTF-8\'\'%e2%82%ac%20rates.jpg'],
    ['b.jpg', 'form-data; name="f"; filename="/etc/a/b.jpg"'],
    ['b.jpg', 'form-data; name="f"; filename="C:\\\\fake\\\\b.jpg"'],
    ['b.jpg', 'form-data; name="f"; filename="C:\\fake\\b.jpg"'],
    ['', 'form-data; name="f"; filename=""'],
    ['my photo.jpg', 'form-data; name="f"; filename=my photo.jpg'],
    ['my photo.jpg', 'form-data; filename=my photo.jpg ; name="f"'],
    ['a"b.jpg', 'form-data; name="f"; filename="a"b.jpg"'],
    ['a;b.jpg', 'form-data; name="f"; filename="a;b.jpg"; x="y"'],
    ['q.png', 'form-data; name="f"; filename*=utf-8\'\'%zz.png; filename="q.png"'],
    ['', "form-data; filename*=utf-9''a"],
    ['12" disc%41.png', 'form-data; name="f"; filename="12%22 disc%41.png"'],
    ['a\r\nb.png', 'form-data; name="f"; filename="a%0D%0Ab.png"'],
    ['long-name.png', 'form-data; name="f"; filename*0="long-"; filename*1="name.png"'],
    ['€ 1%.png', 'form-data; name="f"; filename*0*=utf-8\'\'%E2%82; filename*1*=%AC%20; filename*2="1%.png"'],
  ])('%j is read from %s', async (name, disposition) => {
    expect(await fileNameFor(disposition)).toBe(name);
  });

  test('may be sent in windows-1252', async () => {
    const body = formBody({ name: 'f', fileName: 'caf§.txt', bytes: 'x' });
    const bytes = Buffer.from(body.toString('latin1').replace('Â§', '\xe9 \x80'), 'latin1');
    expect(await readAll(wholeRequest(FORM_HEADERS, bytes))).toMatchObject([{ fileName: 'café €.txt' }]);
  });
});
