import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startService, type Service } from '../helpers/service.ts';
import { storedFiles } from '../helpers/stored-files.ts';
import { createTus, offsetOf, openPatch } from '../helpers/tus-requests.ts';

/** Redis hangs while an upload is being queued, so its process does not learn the outcome. */
let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  bytes = await photo({ width: 120, height: 90 });
});
beforeEach(async () => {
  service = await startService({ workers: 0, env: { SWEEP_PERIOD_MS: '200' } });
});
afterEach(async () => {
  goOn();
  await service.stop();
});

const standStill = (): void => void process.kill(service.redis.pid, 'SIGSTOP');
const goOn = (): void => void process.kill(service.redis.pid, 'SIGCONT');
const manifests = async () => (await storedFiles(service.directory)).filter((path) => path.endsWith('.json'));

/** Resolves when the upload has a manifest. The next step is to queue it. */
async function stored(): Promise<void> {
  await eventually('the manifest', async () => (await manifests()).length > 0);
}

async function expectRecovery(id: string): Promise<void> {
  expect(await manifests()).toHaveLength(1);
  await redisCommand(service.redis.url, 'FLUSHALL');
  await service.addWorker();
  await eventually('the upload to come back and to be completed', async () => {
    const { body } = await getJson<Upload>(`${service.url}/uploads/${id}`);
    return body.state === 'completed';
  });
}

test('a PUT whose queueing has an unknown outcome gets a 503, and its retry gets the same upload', async () => {
  const id = randomUUID();
  const { answer, finish } = putInHalves<Problem>(`${service.url}/uploads/${id}`, bytes);
  await eventually('it to be receiving', async () => {
    const { body } = await getJson<Progress>(`${service.url}/uploads/${id}/progress`);
    return body.state === 'receiving';
  });
  standStill();
  finish();
  await stored();
  const { status, body } = await answer;
  expect([status, body.code]).toEqual([503, 'service_unavailable']);
  goOn();
  await eventually('Redis to be back', async () => (await fetch(`${service.url}/readyz`)).status === 200);
  const again = await putFile<Upload>(service.url, id, bytes, 'a.jpg');
  expect([again.status, again.body.id, again.body.state]).toEqual([202, id, 'queued']);
  await expectRecovery(id);
});

test('a resumable upload whose queueing has an unknown outcome reports its end only after it is queued', async () => {
  const id = await createTus(service.url, { 'Upload-Length': String(bytes.length) });
  const patch = openPatch(service.url, id, 0, bytes.length);
  await patch.send(bytes.subarray(0, -1));
  await eventually('it to be receiving', async () => {
    const { body } = await getJson<Progress>(`${service.url}/uploads/${id}/progress`);
    return body.bytes.received > 0;
  });
  standStill();
  await patch.send(bytes.subarray(-1));
  expect(await patch.answer).toMatchObject({ status: 503 });
  goOn();
  const offset = await eventually('its offset', async () => {
    const offset = await offsetOf(service.url, id);
    return typeof offset === 'number' && offset;
  });
  const { body } = await getJson<Upload>(`${service.url}/uploads/${id}`);
  expect([offset, body.state]).toEqual([bytes.length, 'queued']);
  expect((await storedFiles(service.directory)).filter((path) => path.includes('parts'))).toEqual([]);
  await expectRecovery(id);
});
