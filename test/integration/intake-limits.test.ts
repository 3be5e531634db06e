import { beforeAll, describe, expect, test } from '@jest/globals';
import { connectEachTest } from '../helpers/connect-each-test.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import type { RawAnswer } from '../helpers/raw-connection.ts';
import { fieldPart, filePart, FORM_END, formPart, formRequest } from '../helpers/raw-form.ts';
import { METHODS, receiving, SENDERS, type Method } from '../helpers/raw-senders.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';

let service: Service;
let bytes: Buffer;
let file: Buffer;

/** Every limit differs from its default, which shows that the setting is used. */
const SETTINGS = {
  UPLOAD_MAX_BYTES: '50000',
  UPLOAD_MAX_REQUEST_BYTES: '200000',
  UPLOAD_MAX_FILES: '2',
  UPLOAD_MAX_FIELDS: '3',
  UPLOAD_MAX_FIELD_BYTES: '10',
  HTTP_MAX_HEADER_BYTES: '4096',
  UPLOAD_MAX_OPEN: '3',
  UPLOAD_MAX_OPEN_PER_ADDRESS: '2',
  TRUSTED_PROXIES: '127.0.0.1',
};

beforeAll(async () => {
  [service, bytes] = await Promise.all([
    startService({ env: SETTINGS, workers: 0 }),
    photo({ width: 300, height: 200 }),
  ]);
  file = filePart('a.jpg', bytes);
});
endWithNothingLeft(() => service);
const connected = connectEachTest(() => service);

async function answerTo(...sent: readonly (Buffer | string)[]): Promise<RawAnswer> {
  const connection = await connected();
  await connection.send(...sent);
  return await connection.answer();
}

const field = fieldPart('q', '0123456789');

test.each<[what: string, most: () => Buffer, more: () => Buffer, status: number, code: string, detail: RegExp]>([
  [
    'bytes of a file',
    () => formRequest([filePart('a.jpg', padded(50_000)), FORM_END]),
    () => formRequest([filePart('a.jpg', padded(50_001)), FORM_END]),
    413,
    'file_too_large',
    /50000/,
  ],
  [
    'bytes of a request',
    () => formRequest([file, FORM_END, Buffer.alloc(150_000)]),
    () => formRequest([file, FORM_END, Buffer.alloc(200_000)]),
    413,
    'request_too_large',
    /200000/,
  ],
  [
    'files',
    () => formRequest([file, file, FORM_END]),
    () => formRequest([file, file, file, FORM_END]),
    413,
    'too_many_files',
    /2 files/,
  ],
  [
    'fields',
    () => formRequest([field, field, field, file, FORM_END]),
    () => formRequest([field, field, field, file, field, FORM_END]),
    413,
    'too_many_fields',
    /3 fields/,
  ],
  [
    'bytes of a field',
    () => formRequest([field, file, FORM_END]),
    () => formRequest([fieldPart('q', '01234567890'), file, FORM_END]),
    413,
    'field_too_large',
    /10 bytes/,
  ],
  [
    'bytes of all headers',
    () => formRequest([file, FORM_END], headersOf(3000)),
    () => formRequest([file, FORM_END], headersOf(4100)),
    431,
    'headers_too_large',
    /headers/,
  ],
  [
    'bytes of the headers of a part',
    () => formRequest([named(16_000), FORM_END]),
    () => formRequest([named(16_400), FORM_END]),
    400,
    'bad_multipart',
    /16384/,
  ],
])(
  'the limit of %s accepts exactly this number, and the rejection of a larger one names the limit',
  async (_what, most, more, status, code, detail) => {
    expect((await answerTo(most())).status).toBe(202);
    expect(await answerTo(more())).toMatchObject({ status, code, detail: expect.stringMatching(detail) as unknown });
  },
);

function padded(length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}

function headersOf(length: number): string {
  return `Content-Type: multipart/form-data; boundary=b\r\nX: ${'x'.repeat(length)}\r\n`;
}

function named(length: number): Buffer {
  return formPart(`Content-Disposition: form-data; name="f"; filename="${'n'.repeat(length)}"`, bytes);
}

describe('the limits of open request bodies', () => {
  /** Sends half of a file from that address and waits until the service is receiving it. */
  async function begin(method: Method, address: string, nth: number) {
    const connection = await connected();
    const { head, body } = await SENDERS[method](service.url, bytes);
    await connection.send(
      `${head}X-Forwarded-For: ${address}\r\nContent-Length: ${body.length}\r\n\r\n`,
      body.subarray(0, 5000),
    );
    await receiving(service.url, nth);
    return {
      answer: () => connection.answer(),
      end: async () => {
        await connection.send(body.subarray(5000));
        return (await connection.answer()).status;
      },
    };
  }

  /** Sends a whole request from the address. */
  async function sendFrom(address: string, method: Method): Promise<RawAnswer> {
    const { head, body } = await SENDERS[method](service.url, bytes);
    return await answerTo(`${head}X-Forwarded-For: ${address}\r\nContent-Length: ${body.length}\r\n\r\n`, body);
  }

  test.each(METHODS)(
    'reject a %s over the limit of its address, and end the slowest body over the limit of all',
    async (method) => {
      const first = await begin('PUT', '192.0.2.1', 1);
      const second = await begin('POST', '192.0.2.1', 2);
      expect(await sendFrom('192.0.2.1', method)).toMatchObject({
        status: 429,
        code: 'too_many_uploads_by_address',
        headers: { 'retry-after': expect.stringMatching(/^[23]$/) as unknown },
      });
      const third = await begin('PATCH', '192.0.2.2', 3);
      // For a second the senders count as new, and a new sender keeps its place.
      await eventually('the place of the slowest', async () => (await sendFrom('192.0.2.3', method)).status < 300);
      expect(await first.answer()).toMatchObject({
        status: 503,
        code: 'too_many_uploads',
        headers: { 'retry-after': expect.stringMatching(/^[23]$/) as unknown },
      });
      expect([await second.end(), await third.end()]).toEqual([202, 204]);
      await receiving(service.url, 0);
      expect((await sendFrom('192.0.2.1', method)).status).toBeLessThan(300);
    },
  );
});

describe('STORAGE_RESERVE_BYTES', () => {
  let full: ServiceProcess;

  beforeAll(async () => {
    full = await service.addApi({ STORAGE_RESERVE_BYTES: String(Number.MAX_SAFE_INTEGER) });
  });

  test.each(METHODS)('keeps a %s from using the reserved disk space (507)', async (method) => {
    const { head, body, outcome } = await SENDERS[method](full.url, bytes);
    const connection = await connected(full.url);
    await connection.send(`${head}Content-Length: ${body.length}\r\n\r\n`, body);
    expect(await connection.answer()).toMatchObject({ status: 507, code: 'storage_full' });
    const expected = { PUT: 'failed, storage_full', POST: 'nothing', PATCH: 'at 0' }[method];
    await eventually(expected, async () => (await outcome()) === expected);
  });
});
