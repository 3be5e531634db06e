import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { putFile } from '../helpers/client.ts';
import type { RawConnection } from '../helpers/raw-connection.ts';
import { createTus } from '../helpers/tus-requests.ts';
import { intake } from '../helpers/shared-intake.ts';

describe('requests with Expect: 100-continue', () => {
  const FORM = 'Content-Type: multipart/form-data; boundary=b\r\n';
  const TUS = 'Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\n';

  let connection: RawConnection;

  beforeEach(async () => {
    connection = await intake.connect();
  });

  /** Returns the head of a request whose sender waits for `100 Continue`. */
  function expecting(method: string, path: string, headers: string, length = 1000): string {
    return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n${headers}Content-Length: ${length}\r\n\r\n`;
  }

  /** Stores an upload and returns its id. */
  async function stored(): Promise<string> {
    const id = randomUUID();
    await putFile(intake.url, id, intake.bytes, 'a.jpg');
    return id;
  }

  async function deleted(): Promise<string> {
    const id = await stored();
    await fetch(`${intake.url}/uploads/${id}`, { method: 'DELETE' });
    return id;
  }

  test.each<[what: string, head: () => string | Promise<string>, status: number, code: string]>([
    ['a form that is none', () => expecting('POST', '/uploads', 'Content-Type: image/jpeg\r\n'), 415, 'not_multipart'],
    [
      'a form without boundary',
      () => expecting('POST', '/uploads', 'Content-Type: multipart/form-data\r\n'),
      400,
      'missing_boundary',
    ],
    [
      'a form that is encoded',
      () => expecting('POST', '/uploads', `${FORM}Content-Encoding: br\r\n`),
      415,
      'unsupported_encoding',
    ],
    ['a form that is too large', () => expecting('POST', '/uploads', FORM, 5_000_001), 413, 'request_too_large'],
    [
      'a file that is too large',
      () => expecting('PUT', `/uploads/${randomUUID()}`, '', 300_001),
      413,
      'file_too_large',
    ],
    ['a file whose id is none', () => expecting('PUT', '/uploads/1', ''), 400, 'bad_upload_id'],
    [
      'a file whose options are none',
      () => expecting('PUT', `/uploads/${randomUUID()}?options={`, ''),
      400,
      'bad_options',
    ],
    [
      'a file that has another length than the one of its id',
      async () => expecting('PUT', `/uploads/${await stored()}`, ''),
      409,
      'upload_conflict',
    ],
    [
      'a file whose id was deleted',
      async () => expecting('PUT', `/uploads/${await deleted()}`, ''),
      410,
      'upload_gone',
    ],
    [
      'a PATCH for nothing',
      () => expecting('PATCH', `/files/${randomUUID()}`, `${TUS}Upload-Offset: 0\r\n`),
      404,
      'unknown_upload',
    ],
    [
      'a PATCH at another offset',
      async () =>
        expecting(
          'PATCH',
          `/files/${await createTus(intake.url, { 'Upload-Length': '1000' })}`,
          `${TUS}Upload-Offset: 7\r\n`,
        ),
      409,
      'offset_conflict',
    ],
    [
      'a PATCH beyond the length',
      async () =>
        expecting(
          'PATCH',
          `/files/${await createTus(intake.url, { 'Upload-Length': '10' })}`,
          `${TUS}Upload-Offset: 0\r\n`,
        ),
      413,
      'file_too_large',
    ],
    [
      'a resumable upload that is too large',
      () => expecting('POST', '/files', `${TUS}Upload-Length: 300001\r\n`),
      413,
      'file_too_large',
    ],
    ['a wrong method', () => expecting('PATCH', '/uploads', ''), 405, 'method_not_allowed'],
  ])('are rejected before the body is sent, and the connection is closed: %s', async (_what, head, status, code) => {
    await connection.send(await head());
    expect(await connection.answer()).toMatchObject({ status, code, headers: { connection: 'close' } });
    // After a rejection, the next bytes might be the body or another request.
    expect(await connection.ended).toBe('end');
  });

  test.each<[method: string, head: () => Promise<string>]>([
    ['PUT', async () => expecting('PUT', `/uploads/${randomUUID()}`, '', intake.bytes.length)],
    [
      'PATCH',
      async () =>
        expecting(
          'PATCH',
          `/files/${await createTus(intake.url, { 'Upload-Length': String(intake.bytes.length) })}`,
          `${TUS}Upload-Offset: 0\r\n`,
          intake.bytes.length,
        ),
    ],
  ])('are continued if nothing is wrong, and then accepted: %s', async (_method, head) => {
    await connection.send(await head());
    expect((await connection.answer()).status).toBe(100);
    await connection.send(intake.bytes);
    expect((await connection.answer()).status).toBeLessThan(300);
  });
});
