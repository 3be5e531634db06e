import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { patienceMs } from '../helpers/patience.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus, offsetOf, patchTus } from '../helpers/tus-requests.ts';
import { filesOf } from '../helpers/tus-service.ts';

/** The expiry. A busy machine still adds bytes within this time, and a test can wait for it. */
const EXPIRY_MS = Math.min(patienceMs(3000), 20_000);
/** The interval of new bytes. It keeps the upload, and leaves the processor to other processes. */
const ADD_PERIOD_MS = Math.ceil(EXPIRY_MS / 20);

let service: Service;

beforeAll(async () => {
  service = await startService({
    env: {
      UPLOAD_EXPIRY_MS: String(EXPIRY_MS),
      SWEEP_PERIOD_MS: '200',
      UPLOAD_SILENCE_MS: String(EXPIRY_MS - 100),
      UPLOAD_STALL_TIMEOUT_MS: String(Math.ceil(EXPIRY_MS / 2)),
    },
  });
});

afterAll(async () => {
  await service.stop();
});

test('an upload without new bytes expires and is removed, and an upload with new bytes is kept', async () => {
  const { url } = service;
  const [left, kept] = await Promise.all([
    createTus(url, { 'Upload-Length': '100' }),
    // The upload never becomes complete.
    createTus(url, { 'Upload-Length': '1000000' }),
  ]);
  await patchTus(url, left, 0, Buffer.alloc(9));
  let offset = 0;
  await eventually('the end', async () => {
    offset += 1;
    const { status, headers } = await patchTus(url, kept, offset - 1, Buffer.alloc(1));
    expect([status, headers.get('upload-offset')]).toEqual([204, String(offset)]);
    expect(Date.parse(headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now() - EXPIRY_MS);
    await pause(ADD_PERIOD_MS);
    return (await getJson<Upload>(`${url}/uploads/${left}`)).body.state === 'failed';
  });
  expect(await offsetOf(url, left)).toBe('status 410');
  expect((await getJson<Upload>(`${url}/uploads/${left}`)).body.error?.code).toBe('upload_interrupted');
  await eventually('no files', async () => (await filesOf(service, left)).length === 0);
  expect(await offsetOf(url, kept)).toBe(offset);
});
