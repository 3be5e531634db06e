import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { at, refuse, startS3Server, S3_CREDENTIALS, type S3Server } from '../helpers/s3-server.ts';
import { startService, type Service } from '../helpers/service.ts';

let s3: S3Server;
let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  [s3, bytes] = await Promise.all([startS3Server(), photo({ width: 300, height: 200 })]);
  const env = { ...S3_CREDENTIALS, S3_ENDPOINT: s3.url, STORAGE: `s3://${s3.bucket}/uploads` };
  service = await startService({ env });
});
afterAll(async () => {
  await service.stop();
  await s3.close();
});
afterEach(() => {
  s3.fault = undefined;
});

const linesOf = (msg: string) =>
  service.workers.flatMap((worker) => worker.lines().filter((line) => line['msg'] === msg));
const pausedWorkers = async () =>
  /^deferred_uploads_workers_paused (\d+)$/m.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1];
const faultsOf = async (id: string) =>
  await redisCommand(service.redis.url, 'HGET', `{deferred-uploads}:record:${id}`, 'faults');

test.each([
  ['reads', 'GetObject'],
  ['writes', 'PutObject'],
])('a storage that rejects all %s for a while fails no upload, and is logged once', async (_, operation) => {
  const before = [linesOf('storage is away, jobs wait').length, linesOf('storage is back').length];
  const ids = [randomUUID(), randomUUID()];
  const first = ids[0] ?? '';
  if (operation === 'GetObject') s3.fault = at(operation, (request) => refuse(request, 503, 'SlowDown'));
  for (const id of ids) {
    expect((await putFile(service.url, id, bytes, 'a.jpg')).status).toBe(202);
    if (operation === 'PutObject' && id === first)
      s3.fault = (request) =>
        request.operation === operation && /attempt-|probe/.test(request.request.url ?? '')
          ? refuse(request, 503, 'SlowDown')
          : request.proceed();
  }
  await eventually('the worker to pause', () => linesOf('storage is away, jobs wait').length > (before[0] ?? 0));
  await eventually('the metrics to show it', async () => (await pausedWorkers()) === '1');
  const seen = s3.operations.length;
  await eventually('checks of the storage', () => s3.operations.length >= seen + 6);
  s3.fault = undefined;
  for (const id of ids) {
    const { body } = await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
    expect(body.state).toBe('completed');
    expect(['0', '', null]).toContain(await faultsOf(id));
  }
  expect([linesOf('storage is away, jobs wait').length, linesOf('storage is back').length]).toEqual([
    (before[0] ?? 0) + 1,
    (before[1] ?? 0) + 1,
  ]);
  await eventually('the metrics to show that it is over', async () => (await pausedWorkers()) === '0');
});

test('a file that is missing in an available storage fails its upload', async () => {
  const id = randomUUID();
  s3.fault = at('GetObject', (request) =>
    request.request.url?.includes('.original') === true ? refuse(request, 404, 'NoSuchKey') : request.proceed(),
  );
  await putFile(service.url, id, bytes, 'a.jpg');
  const failed = await eventually(
    'the upload to fail',
    async () => {
      const { body } = await getJson<Upload>(`${service.url}/uploads/${id}`);
      return body.state === 'failed' && body;
    },
    40_000,
  );
  expect(failed.error?.code).toBe('processing_failed');
});
