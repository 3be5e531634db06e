import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { eventually } from '../helpers/eventually.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';

let service: Service;

beforeAll(async () => {
  service = await startService({ workers: 0, env: { METRICS_PORT: '0' } });
});
afterAll(async () => {
  await service.stop();
});

const ready = async () => await getJson<{ status: string; workers: number }>(`${service.url}/readyz`);
const gauge = async () =>
  /^deferred_uploads_workers_alive (\d+)$/m.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1];

test('an API process without a living worker is ready, and /readyz and /metrics count no workers', async () => {
  const { status, body } = await ready();
  expect([status, body, await gauge()]).toEqual([200, { status: 'ready', workers: 0 }, '0']);
  const worker = await service.addWorker();
  await eventually(
    'the worker to be counted',
    async () => (await ready()).body.workers === 1 && (await gauge()) === '1',
  );
  await expectMetrics(worker);
  await worker.end('SIGTERM');
  await eventually('the worker to be gone', async () => (await ready()).body.workers === 0 && (await gauge()) === '0');
});

/** Checks that the worker serves metrics of an upload that it has processed. */
async function expectMetrics(worker: ServiceProcess): Promise<void> {
  const table = Buffer.from('a,b\n1,2\n');
  const { body } = await putFile<Upload>(service.url, randomUUID(), table, 'a.csv', `?timeout=${LONG_HOLD_MS}`);
  expect(body.state).toBe('completed');
  const { url } = worker.lines().find(({ msg }) => msg === 'metrics listening') ?? {};
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  await eventually('the metrics of the upload', async () => {
    const text = await (await fetch(String(url))).text();
    return [
      'deferred_uploads_uploads_total{outcome="completed",code=""} 1',
      'deferred_uploads_queue_wait_seconds_count{kind="table"} 1',
      'deferred_uploads_processing_seconds_count{kind="table",outcome="completed"} 1',
      'deferred_uploads_redis_up 1',
    ].every((line) => text.split('\n').includes(line));
  });
}
