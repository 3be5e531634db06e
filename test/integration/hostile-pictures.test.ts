import { beforeAll, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { WORKER_ALLOCATOR } from '../../scripts/allocator.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { hostilePictures, type HostilePicture } from '../helpers/hostile-pictures.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';

/**
 * Memory that a worker may have gained after all files, compared with one photo. The largest file needs three times
 * this.
 */
const MOST_GROWTH_MIB = 100;

let service: Service;
let hostile: HostilePicture[];

beforeAll(async () => {
  [service, hostile] = await Promise.all([startService({ env: WORKER_ALLOCATOR }), hostilePictures({ flipsEach: 1 })]);
});
endWithNothingLeft(() => service);

async function send(bytes: Buffer): Promise<Upload> {
  const id = randomUUID();
  await putFile<Upload>(service.url, id, bytes, 'a', `?timeout=${LONG_HOLD_MS}`);
  return (await getJson<Upload>(`${service.url}/uploads/${id}`)).body;
}

/** Returns the resident memory of the worker process. */
function memoryMib(): number {
  return (
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(service.workers[0]?.child.pid)], { encoding: 'utf8' })) / 1024
  );
}

async function sendPhoto(): Promise<void> {
  expect(await send(await photo({ width: 2000, height: 1500 }))).toMatchObject({ state: 'completed' });
}

test('hostile pictures fail at their first attempt with a reason, without harm to the worker', async () => {
  await sendPhoto();
  const beforeMib = memoryMib();
  for (const { name, bytes, outcome } of [...hostile, ...hostile]) {
    const { state, error, progress } = await send(bytes);
    expect([name, state === 'completed' || state === 'failed', progress.attempt <= 1]).toEqual([name, true, true]);
    if (outcome !== 'any') expect([name, error?.code ?? state]).toEqual([name, outcome]);
    expect(error?.detail ?? 'a reason').not.toMatch(/vips|(?<!image\/)heif|libpng|\/data|undefined/i);
  }
  await sendPhoto();
  expect(service.workers[0]?.child.exitCode).toBeNull();
  expect(memoryMib() - beforeMib).toBeLessThan(MOST_GROWTH_MIB);
});
