import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NEXT_REQUEST, type RawConnection } from '../helpers/raw-connection.ts';
import { createTus, offsetOf, tusRequest } from '../helpers/tus-requests.ts';
import { intake } from '../helpers/shared-intake.ts';

describe('tus requests', () => {
  const BODY = 'Content-Type: application/offset+octet-stream\r\n';
  const LENGTH = 1000;

  const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

  let connection: RawConnection;

  beforeEach(async () => {
    connection = await intake.connect();
  });

  async function expectProblem(request: string, status: number, code: string, detail: RegExp): Promise<void> {
    await connection.send(request, NEXT_REQUEST);
    expect(await connection.answer()).toMatchObject({ status, code, detail: expect.stringMatching(detail) as unknown });
    expect((await connection.answer()).status).toBe(200);
  }

  describe('for a new upload', () => {
    const NUMBER = /Upload-Length must appear once and be a whole number of bytes/;
    const METADATA = /Upload-Metadata must be a list with commas/;

    test.each([
      ['with a negative length', 'Upload-Length: -1\r\n', 400, 'bad_request', NUMBER],
      ['with a length in hexadecimal', 'Upload-Length: 0x10\r\n', 400, 'bad_request', NUMBER],
      ['with a length with a sign', 'Upload-Length: +5\r\n', 400, 'bad_request', NUMBER],
      ['with a length with a fraction', 'Upload-Length: 1.5\r\n', 400, 'bad_request', NUMBER],
      ['with a length of 20 digits', 'Upload-Length: 99999999999999999999\r\n', 400, 'bad_request', NUMBER],
      ['with two lengths', 'Upload-Length: 5\r\nUpload-Length: 6\r\n', 400, 'bad_request', NUMBER],
      ['with an empty length', 'Upload-Length:\r\n', 400, 'bad_request', NUMBER],
      [
        'with a length and a deferred length',
        'Upload-Length: 5\r\nUpload-Defer-Length: 1\r\n',
        400,
        'bad_request',
        /length can be set only once/,
      ],
      [
        'with an unknown way to defer the length',
        'Upload-Defer-Length: 2\r\n',
        400,
        'bad_request',
        /Upload-Defer-Length must be 1/,
      ],
      [
        "with a name of JavaScript's own",
        `Upload-Length: 5\r\nUpload-Metadata: __proto__ ${base64('x')}\r\n`,
        400,
        'bad_request',
        METADATA,
      ],
      [
        'with a name given twice',
        `Upload-Length: 5\r\nUpload-Metadata: filename ${base64('a')},filename ${base64('b')}\r\n`,
        400,
        'bad_request',
        METADATA,
      ],
      [
        'with a value that is not base64',
        'Upload-Length: 5\r\nUpload-Metadata: filename !!!!\r\n',
        400,
        'bad_request',
        METADATA,
      ],
      [
        'with a name that is not ASCII',
        `Upload-Length: 5\r\nUpload-Metadata: n\xe4me ${base64('x')}\r\n`,
        400,
        'bad_request',
        METADATA,
      ],
      [
        'with an id that is a path',
        `Upload-Length: 5\r\nUpload-Metadata: uploadId ${base64('../../x')}\r\n`,
        400,
        'bad_upload_id',
        /lower-case UUID/,
      ],
      [
        'with options 4,000 deep',
        `Upload-Length: 5\r\nUpload-Metadata: options ${base64('['.repeat(4000) + ']'.repeat(4000))}\r\n`,
        400,
        'bad_options',
        /nested/,
      ],
      [
        'with more bytes than announced',
        `Upload-Length: 5\r\n${BODY}Content-Length: 10\r\n\r\n0123456789`,
        413,
        'file_too_large',
        /more bytes than Upload-Length/,
      ],
      [
        'as a concatenation of other addresses',
        'Upload-Concat: final;/files/a /files/b\r\n',
        400,
        'bad_request',
        /Upload-Concat is wrong/,
      ],
    ])('are rejected %s', async (_what, headers, status, code, detail) => {
      const end = headers.includes('\r\n\r\n') ? '' : '\r\n';
      await expectProblem(
        `POST /files HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n${headers}${end}`,
        status,
        code,
        detail,
      );
    });

    test('are rejected with metadata of a megabyte', async () => {
      await connection.send(
        `POST /files HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: filename ${base64('n'.repeat(1_000_000))}\r\n\r\n`,
      );
      expect(await connection.answer()).toMatchObject({ status: 431, code: 'headers_too_large' });
    });

    test('reduce a file name with a path to its last part', async () => {
      const id = await createTus(intake.url, {
        'Upload-Length': '5',
        'Upload-Metadata': `filename ${base64('../../etc/pass\0wd')}`,
      });
      const upload = (await (await fetch(`${intake.url}/uploads/${id}`)).json()) as { file: { name: string } };
      expect(upload.file.name).toBe('passwd');
    });
  });

  describe('as clients write them', () => {
    test.each([
      ['empty metadata, as tuspy sends it', ''],
      ['a blank after the comma', `filename ${base64('a.png')}, filetype ${base64('image/png')}`],
      ['a comma at the end', `filename ${base64('a.png')},`],
      ['a name with a blank and no value', `filetype ,filename ${base64('a.png')}`],
      ['base64 without padding', `filename ${base64('ab.png').replaceAll('=', '')}`],
    ])('create an upload with %s', async (_what, metadata) => {
      await connection.send(
        'POST /files/ HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n',
        `Upload-Length: 5\r\nUpload-Metadata: ${metadata}\r\n\r\n`,
      );
      const created = await connection.answer();
      expect(created.status).toBe(201);
      await tusRequest('DELETE', intake.url + (created.headers['location'] ?? ''));
    });

    test.each(['Application/Offset+Octet-Stream', 'application/offset+octet-stream; charset=utf-8'])(
      'add bytes with the type %s',
      async (type) => {
        const created = await tusRequest('POST', `${intake.url}/files`, { 'Upload-Length': '50000' });
        const path = created.headers.get('location') ?? '';
        await connection.send(
          `PATCH ${path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n`,
          `Content-Type: ${type}\r\nContent-Length: 3\r\n\r\nabc`,
        );
        expect((await connection.answer()).status).toBe(204);
        await tusRequest('DELETE', intake.url + path);
      },
    );
  });

  describe('for more bytes', () => {
    let id: string;

    beforeEach(async () => {
      id = await createTus(intake.url, { 'Upload-Length': String(LENGTH) });
    });
    afterEach(async () => {
      expect(await offsetOf(intake.url, id)).toBe(0);
      await tusRequest('DELETE', `${intake.url}/files/${id}`);
    });

    const NUMBER = /Upload-Offset must appear once and be a whole number of bytes/;

    test.each([
      ['at a negative offset', `${BODY}Upload-Offset: -1\r\n`, 400, 'bad_request', NUMBER],
      ['at an offset with an exponent', `${BODY}Upload-Offset: 1e0\r\n`, 400, 'bad_request', NUMBER],
      ['at an offset with further characters', `${BODY}Upload-Offset: 0abc\r\n`, 400, 'bad_request', NUMBER],
      ['at two offsets', `${BODY}Upload-Offset: 0\r\nUpload-Offset: 0\r\n`, 400, 'bad_request', NUMBER],
      ['at no offset', BODY, 400, 'bad_request', /Upload-Offset/],
      ['at another offset', `${BODY}Upload-Offset: 7\r\n`, 409, 'offset_conflict', /HEAD/],
      [
        'with another type',
        'Content-Type: application/octet-stream\r\nUpload-Offset: 0\r\n',
        415,
        'not_offset_stream',
        /application\/offset\+octet-stream/,
      ],
      ['with another length', `${BODY}Upload-Offset: 0\r\nUpload-Length: 5\r\n`, 400, 'bad_request', /set only once/],
      [
        'with an encoding',
        `${BODY}Upload-Offset: 0\r\nContent-Encoding: gzip\r\n`,
        415,
        'unsupported_encoding',
        /without Content-Encoding/,
      ],
    ])('are rejected %s', async (_what, headers, status, code, detail) => {
      await expectProblem(
        `PATCH /files/${id} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n${headers}Content-Length: 5\r\n\r\nabcde`,
        status,
        code,
        detail,
      );
    });

    test.each([
      ['with more bytes announced than the length', `Content-Length: ${2 * LENGTH}\r\n\r\n${'x'.repeat(2 * LENGTH)}`],
      [
        'with more bytes in chunks than the length',
        `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'x'.repeat(2 * LENGTH)}\r\n0\r\n\r\n`,
      ],
    ])('are rejected %s', async (_what, framed) => {
      await expectProblem(
        `PATCH /files/${id} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n${BODY}Upload-Offset: 0\r\n${framed}`,
        413,
        'file_too_large',
        /more bytes than Upload-Length/,
      );
    });

    test('are rejected with an unknown method', async () => {
      await expectProblem(
        `POST /files/${id} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nX-HTTP-Method-Override: BREW\r\n\r\n`,
        405,
        'method_not_allowed',
        /DELETE, HEAD, PATCH, POST/,
      );
    });
  });
});
