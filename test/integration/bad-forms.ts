import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { UploadList } from '../../src/wire/documents.ts';
import { NEXT_REQUEST, type RawConnection } from '../helpers/raw-connection.ts';
import { fieldPart, filePart, FORM_END, formPart, formRequest } from '../helpers/raw-form.ts';
import { intake } from '../helpers/shared-intake.ts';

describe('forms', () => {
  const FORM = 'Content-Type: multipart/form-data; boundary=b';
  const LONG = 'z'.repeat(5000);
  const WORDS = Buffer.alloc(2_000_000, 'only words ');

  let connection: RawConnection;
  let file: Buffer;

  beforeAll(() => {
    file = filePart('a.jpg', intake.bytes);
  });
  beforeEach(async () => {
    connection = await intake.connect();
  });

  /** Makes a part with this disposition, to which the name is added. */
  const disposed = (rest: string, content: Buffer | string = intake.bytes, type = 'image/jpeg') =>
    formPart(`Content-Disposition: form-data; ${rest}\r\nContent-Type: ${type}`, content);

  const inner = () =>
    Buffer.concat([formPart('Content-Disposition: file; filename="a.jpg"', intake.bytes, 'i'), Buffer.from('--i--')]);

  /** A request, and the status, code and detail that its answer must have. Each request is made when its test runs. */
  type Line = [what: string, request: () => Buffer, status: number, code: string, detail: RegExp];

  const BOUNDARIES: Line[] = [
    [
      'a missing boundary',
      () => formRequest([file, FORM_END], 'Content-Type: multipart/form-data\r\n'),
      400,
      'missing_boundary',
      /boundary=/,
    ],
    [
      'an empty boundary',
      () => formRequest([file, FORM_END], 'Content-Type: multipart/form-data; boundary=""\r\n'),
      400,
      'missing_boundary',
      /boundary=/,
    ],
    [
      'two boundaries',
      () => formRequest([file, FORM_END], `${FORM}; boundary=c\r\n`),
      400,
      'bad_multipart',
      /one boundary/,
    ],
    [
      'two Content-Types',
      () => formRequest([file, FORM_END], `${FORM}\r\nContent-Type: multipart/form-data; boundary=c\r\n`),
      400,
      'bad_multipart',
      /one Content-Type/,
    ],
    [
      'another boundary',
      () => formRequest([file, FORM_END], 'Content-Type: multipart/form-data; boundary=c\r\n'),
      400,
      'body_cut_short',
      /that Content-Type names/,
    ],
    [
      'a boundary of 5,000 characters',
      () =>
        formRequest(
          [formPart('X: y', intake.bytes, LONG), `--${LONG}--`],
          `Content-Type: multipart/form-data; boundary=${LONG}\r\n`,
        ),
      400,
      'bad_multipart',
      /at most 70/,
    ],
    [
      'a boundary that fills the headers',
      () => formRequest([file, FORM_END], `Content-Type: multipart/form-data; boundary=${LONG.repeat(4)}\r\n`),
      431,
      'headers_too_large',
      /headers/,
    ],
    ['no closing boundary', () => formRequest([file]), 400, 'body_cut_short', /Send it again/],
    ['no body', () => formRequest([]), 400, 'body_cut_short', /Send it again/],
    [
      'a body cut in the headers of a part',
      () => formRequest([file, '--b\r\nContent-Disp']),
      400,
      'body_cut_short',
      /Send it again/,
    ],
    [
      'a body cut in the data',
      () => formRequest([file, file.subarray(0, -500)]),
      400,
      'body_cut_short',
      /Send it again/,
    ],
    ['a body cut in the closing boundary', () => formRequest([file, '--b-']), 400, 'body_cut_short', /Send it again/],
    [
      'lines without carriage return',
      () => formRequest([file.toString('latin1').replaceAll('\r\n', '\n'), '--b--\n']),
      400,
      'bad_multipart',
      /End it with CRLF/,
    ],
    [
      'a line of a file that begins with the boundary',
      () => formRequest([filePart('a.csv', 'a,b\r\n--b-note,3\r\n4,5'), FORM_END]),
      400,
      'bad_multipart',
      /begins with the boundary/,
    ],
    [
      'a boundary with a backslash',
      () => formRequest([file, FORM_END], 'Content-Type: multipart/form-data; boundary="a\\b"\r\n'),
      400,
      'bad_multipart',
      /unusual characters/,
    ],
  ];

  const PARTS: Line[] = [
    [
      'a part without a disposition',
      () => formRequest([file, formPart('Content-Type: image/jpeg', intake.bytes), FORM_END]),
      400,
      'bad_multipart',
      /Content-Disposition: form-data/,
    ],
    [
      'a part without headers',
      () => formRequest(['--b\r\n\r\nx\r\n', file, FORM_END]),
      400,
      'bad_multipart',
      /headers of a part/,
    ],
    [
      'a part for another purpose',
      () =>
        formRequest([
          file,
          formPart('Content-Disposition: attachment; name="f"; filename="a.jpg"', intake.bytes),
          FORM_END,
        ]),
      400,
      'bad_multipart',
      /Content-Disposition: form-data/,
    ],
    [
      'a table without a file name',
      () => formRequest([file, disposed('name="f"', 'a,b\n1,2\n', 'text/csv'), FORM_END]),
      400,
      'bad_multipart',
      /has no file name/,
    ],
    [
      'a picture without a file name and type',
      () => formRequest([file, formPart('Content-Disposition: form-data; name="f"', intake.bytes), FORM_END]),
      400,
      'bad_multipart',
      /has no file name/,
    ],
    [
      'a piece of a file',
      () =>
        formRequest([
          file,
          formPart(
            'Content-Disposition: form-data; name="f"; filename="a.jpg"\r\nContent-Range: bytes 0-59/500',
            intake.bytes,
          ),
          FORM_END,
        ]),
      400,
      'bad_request',
      /\/files with the tus protocol/,
    ],
    [
      "a chunk of Dropzone's",
      () => formRequest([fieldPart('dzchunkindex', '0'), fieldPart('dztotalchunkcount', '2'), file, FORM_END]),
      400,
      'bad_request',
      /dztotalchunkcount=2.*\/files with the tus protocol/,
    ],
    [
      "a chunk of Resumable.js'",
      () => formRequest([fieldPart('resumableTotalChunks', '3'), file, FORM_END]),
      400,
      'bad_request',
      /resumableTotalChunks=3.*\/files with the tus protocol/,
    ],
    [
      'a file name with NUL in it',
      () => formRequest([file, disposed('name="f"; filename="a\0b.jpg"'), FORM_END]),
      400,
      'bad_multipart',
      /headers of a part/,
    ],
    [
      'a file name of a megabyte',
      () => formRequest([file, disposed(`name="f"; filename="${'n'.repeat(1_000_000)}"`), FORM_END]),
      400,
      'bad_multipart',
      /more than 16384 bytes/,
    ],
    [
      'a header with a broken line',
      () => formRequest([file, formPart('Content-Disposition: form-data\r name="f"', intake.bytes), FORM_END]),
      400,
      'bad_multipart',
      /headers of a part/,
    ],
    [
      'a nested form',
      () => formRequest([file, disposed('name="files"', inner(), 'multipart/mixed; boundary=i'), FORM_END]),
      400,
      'bad_multipart',
      /itself multipart/,
    ],
    [
      'a nested form in a file',
      () =>
        formRequest([file, disposed('name="f"; filename="x"', inner(), 'multipart/form-data; boundary=i'), FORM_END]),
      400,
      'bad_multipart',
      /itself multipart/,
    ],
    [
      'a file in base64',
      () =>
        formRequest([
          file,
          formPart(
            'Content-Disposition: form-data; name="f"; filename="a.jpg"\r\nContent-Transfer-Encoding: base64',
            intake.bytes.toString('base64'),
          ),
          FORM_END,
        ]),
      415,
      'unsupported_encoding',
      /without Content-Transfer-Encoding/,
    ],
    [
      '10,000 tiny fields',
      () => formRequest([file, ...Array<Buffer>(10_000).fill(fieldPart('q', '1')), FORM_END]),
      413,
      'too_many_fields',
      /at most 100 fields/,
    ],
    [
      '10,000 parts that are neither',
      () => formRequest([file, ...Array<Buffer>(10_000).fill(formPart('X: y', '1')), FORM_END]),
      400,
      'bad_multipart',
      /Content-Disposition: form-data/,
    ],
    [
      '10,000 boundaries in a row',
      () => formRequest([file, '--b\r\n'.repeat(10_000), FORM_END]),
      413,
      'too_many_fields',
      /at most 200 parts/,
    ],
    [
      '101 files',
      () => formRequest([...Array<Buffer>(101).fill(filePart('w.jpg', 'w')), FORM_END]),
      413,
      'too_many_files',
      /at most 100 files/,
    ],
    [
      'a field of 64 KiB and a byte',
      () => formRequest([file, fieldPart('q', 'x'.repeat(65_537)), FORM_END]),
      413,
      'field_too_large',
      /65536.*filename=/,
    ],
    [
      'options of 60 KB',
      () => formRequest([fieldPart('options', JSON.stringify({ ['k'.repeat(60_000)]: 1 })), file, FORM_END]),
      400,
      'bad_options',
      /8192/,
    ],
    [
      'options 4,000 deep',
      () => formRequest([fieldPart('options', '['.repeat(4000) + ']'.repeat(4000)), file, FORM_END]),
      400,
      'bad_options',
      /nested/,
    ],
  ];

  const BODIES: Line[] = [
    [
      'another kind of multipart',
      () => formRequest([file, FORM_END], 'Content-Type: multipart/mixed; boundary=b\r\n'),
      415,
      'not_multipart',
      /multipart\/form-data/,
    ],
    [
      'a piece of a body',
      () => formRequest([file, FORM_END], `${FORM}\r\nContent-Range: bytes 0-59/500\r\n`),
      400,
      'bad_request',
      /without Content-Range.*tus/,
    ],
    ['no Content-Type', () => formRequest([file, FORM_END], ''), 415, 'not_multipart', /multipart\/form-data/],
    [
      "a gzip'd body",
      () => formRequest([file, FORM_END], `${FORM}\r\nContent-Encoding: gzip\r\n`),
      415,
      'unsupported_encoding',
      /without Content-Encoding/,
    ],
    [
      'one large text file',
      () => formRequest([filePart('a.jpg', WORDS), FORM_END]),
      415,
      'unsupported_media_type',
      /Send one of image\/jpeg/,
    ],
    [
      'one file far over its limit',
      () => formRequest([filePart('a.jpg', Buffer.concat([intake.bytes, WORDS])), FORM_END]),
      413,
      'file_too_large',
      /300000/,
    ],
    [
      'a body over the limit of requests',
      () => formRequest([file, Buffer.alloc(5_000_000), FORM_END]),
      413,
      'request_too_large',
      /5000000/,
    ],
  ];

  describe.each([
    ['boundaries', BOUNDARIES],
    ['parts', PARTS],
    ['bodies', BODIES],
  ])('with invalid %s', (_kind, lines) => {
    test.each(lines)('are rejected: %s', async (_what, request, status, code, detail) => {
      await connection.send(request());
      const refused = await connection.answer();
      expect(refused).toMatchObject({ status, code, detail: expect.stringMatching(detail) as unknown });
      if (refused.headers['connection'] === 'close') return;
      // The connection can be used again, and the place among the open uploads is free.
      await connection.send(NEXT_REQUEST, formRequest([file, FORM_END]));
      expect([(await connection.answer()).status, (await connection.answer()).status]).toEqual([200, 202]);
    });
  });

  /** An unusual form that is accepted, and the names and states of its uploads. */
  const TAKEN: [what: string, request: () => Buffer, uploads: [name: string, state: string][]][] = [
    [
      'bytes before and after it',
      () => formRequest(['a preamble\r\n', file, FORM_END, 'an epilogue\r\n--b\r\nX']),
      [['a.jpg', 'queued']],
    ],
    ['a doubled boundary', () => formRequest(['--b\r\n', file, FORM_END]), [['a.jpg', 'queued']]],
    ['a file without a field name', () => formRequest([disposed('filename="a.jpg"'), FORM_END]), [['a.jpg', 'queued']]],
    [
      'a nameless field',
      () => formRequest([formPart('Content-Disposition: form-data', 'x'), file, FORM_END]),
      [['a.jpg', 'queued']],
    ],
    [
      'filename="" of any type',
      () =>
        formRequest([
          disposed('name="f"; filename=""', intake.bytes, 'application/octet-stream'),
          disposed('name="f"; filename=""'),
          FORM_END,
        ]),
      [
        ['file', 'queued'],
        ['file', 'queued'],
      ],
    ],
    [
      'a file name without its quotes, one with a quote, and one in windows-1252',
      () =>
        formRequest([
          disposed('name="f"; filename=my photo.jpg'),
          disposed('name="f"; filename="a"b.jpg"'),
          disposed('name="f"; filename="quo%22te.jpg"'),
          disposed('name="f"; filename="caf\xe9.jpg"'),
          FORM_END,
        ]),
      [
        ['my photo.jpg', 'queued'],
        ['a"b.jpg', 'queued'],
        ['quo"te.jpg', 'queued'],
        ['café.jpg', 'queued'],
      ],
    ],
    [
      'blanks behind its boundary',
      () => formRequest([file, file.toString('latin1').replace('--b\r', '--b \t\r'), FORM_END]),
      [
        ['a.jpg', 'queued'],
        ['a.jpg', 'queued'],
      ],
    ],
    [
      'a chunk number of a file in one piece',
      () => formRequest([fieldPart('dztotalchunkcount', '1'), file, FORM_END]),
      [['a.jpg', 'queued']],
    ],
    [
      'a path in the file name',
      () => formRequest([disposed('name="../../x"; filename="../../etc/passwd"'), FORM_END]),
      [['passwd', 'queued']],
    ],
    [
      'a path and NUL in filename*',
      () => formRequest([disposed('name="f"; filename*=UTF-8\'\'..%2F..%2Fetc%2F%E2%82%AC%00%0D%0A.jpg'), FORM_END]),
      [['€.jpg', 'queued']],
    ],
    [
      'a name of 10,000 characters',
      () => formRequest([disposed(`name="f"; filename="${'n'.repeat(10_000)}.jpg"`), FORM_END]),
      [[`${'n'.repeat(251)}.jpg`, 'queued']],
    ],
    [
      'an invalid Content-Type',
      () => formRequest([disposed('name="f"; filename="a.jpg"', intake.bytes, ';;;'), FORM_END]),
      [['a.jpg', 'queued']],
    ],
    [
      'other files that are rejected',
      () =>
        formRequest([
          filePart('w.jpg', WORDS),
          file,
          filePart('big.jpg', Buffer.concat([intake.bytes, WORDS])),
          filePart('0.jpg', ''),
          file,
          FORM_END,
        ]),
      [
        ['w.jpg', 'failed'],
        ['a.jpg', 'queued'],
        ['big.jpg', 'failed'],
        ['0.jpg', 'failed'],
        ['a.jpg', 'queued'],
      ],
    ],
  ];

  test.each(TAKEN)('are accepted with %s', async (_what, request, uploads) => {
    await connection.send(request(), NEXT_REQUEST);
    const taken = await connection.answer();
    expect(taken.status).toBe(202);
    const { uploads: answered } = JSON.parse(Buffer.from(taken.body, 'latin1').toString('utf8')) as UploadList;
    expect(answered.map((upload) => [upload.file.name, upload.state])).toEqual(uploads);
    expect((await connection.answer()).status).toBe(200);
  });
});
