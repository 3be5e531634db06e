import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, type JsonAnswer } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startService, type Service } from '../helpers/service.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';
import { createTus, offsetOf, openPatch, type OpenPatch } from '../helpers/tus-requests.ts';

/** Redis hangs while two uploads are being queued, so their process does not learn the outcome. */
let service: Service;
let bytes: Buffer;
const id = randomUUID();
let resumableId: string;
let answers: [put: JsonAnswer<Problem>, patch: Awaited<OpenPatch['answer']>];

beforeAll(async () => {
  [service, bytes] = await Promise.all([
    startService({ workers: 0, env: { SWEEP_PERIOD_MS: '200' } }),
    photo({ width: 120, height: 90 }),
  ]);
  const { answer, finish } = putInHalves<Problem>(`${service.url}/uploads/${id}`, bytes);
  resumableId = await createTus(service.url, { 'Upload-Length': String(bytes.length) });
  const patch = openPatch(service.url, resumableId, 0, bytes.length);
  await patch.send(bytes.subarray(0, -1));
  for (const each of [id, resumableId])
    await eventually('it to be receiving', async () => {
      const { body } = await getJson<Progress>(`${service.url}/uploads/${each}/progress`);
      return body.state === 'receiving' && body.bytes.received > 0;
    });
  process.kill(service.redis.pid, 'SIGSTOP');
  try {
    finish();
    // The next step after the manifest is to queue it.
    await eventually('the manifest', async () => (await filesOf(id, '.json')).length > 0);
    await patch.send(bytes.subarray(-1));
    answers = await Promise.all([answer, patch.answer]);
  } finally {
    process.kill(service.redis.pid, 'SIGCONT');
  }
  await eventually('Redis to be back', async () => (await fetch(`${service.url}/readyz`)).status === 200);
});
afterAll(async () => {
  await service.stop();
});

async function filesOf(upload: string, part: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, upload)).filter((path) => path.includes(part));
}

test('a PUT whose queueing has an unknown outcome gets a 503, and its retry gets the same upload', async () => {
  const [{ status, body }] = answers;
  expect([status, body.code]).toEqual([503, 'service_unavailable']);
  const again = await putFile<Upload>(service.url, id, bytes, 'a.jpg');
  expect([again.status, again.body.id, again.body.state]).toEqual([202, id, 'queued']);
});

test('a resumable upload whose queueing has an unknown outcome reports its end only after it is queued', async () => {
  expect(answers[1]).toMatchObject({ status: 503 });
  const offset = await eventually('its offset', async () => {
    const offset = await offsetOf(service.url, resumableId);
    return typeof offset === 'number' && offset;
  });
  const { body } = await getJson<Upload>(`${service.url}/uploads/${resumableId}`);
  expect([offset, body.state]).toEqual([bytes.length, 'queued']);
  expect(await filesOf(resumableId, 'parts')).toEqual([]);
});

test('both uploads are restored and completed if Redis returns empty, and have one manifest then', async () => {
  for (const each of [id, resumableId]) expect(await filesOf(each, '.json')).not.toEqual([]);
  await redisCommand(service.redis.url, 'FLUSHALL');
  await service.addWorker();
  for (const each of [id, resumableId]) {
    await eventually('the upload to come back and to be completed', async () => {
      const { body } = await getJson<Upload>(`${service.url}/uploads/${each}`);
      return body.state === 'completed';
    });
    // The janitor removes the one of the request whose outcome was unknown.
    await eventually('one manifest', async () => (await filesOf(each, '.json')).length === 1);
  }
});
