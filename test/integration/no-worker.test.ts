import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { getJson } from '../helpers/client.ts';
import { startService, type Service } from '../helpers/service.ts';

let service: Service;

beforeAll(async () => {
  service = await startService({ workers: 0 });
});
afterAll(async () => {
  await service.stop();
});

const ready = async () => await getJson<{ status: string; workers: number }>(`${service.url}/readyz`);
const gauge = async () => /^workers_alive (\d+)$/m.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1];

test('an API process without a living worker is ready, and /readyz and /metrics count no workers', async () => {
  const { status, body } = await ready();
  expect([status, body, await gauge()]).toEqual([200, { status: 'ready', workers: 0 }, '0']);
  const worker = await service.addWorker();
  await eventually(
    'the worker to be counted',
    async () => (await ready()).body.workers === 1 && (await gauge()) === '1',
  );
  await worker.end('SIGTERM');
  await eventually('the worker to be gone', async () => (await ready()).body.workers === 0 && (await gauge()) === '0');
});
