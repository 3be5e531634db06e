import type { TenantLimits } from '../../../../src/access/caller.ts';
import { say } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import { figure, formatTable } from '../../lib/table.ts';
import type { ScaleOptions } from '../lib/part.ts';
import { withRedisMeter, type RedisMeter } from '../lib/redis-meter.ts';
import { QueueOfTenants } from './queue-of-tenants.ts';

/** Number of calls of each script that are measured. */
const SAMPLE = 1000;

/** What the calls cost with one number of waiting uploads. */
export interface OrderCost {
  waiting: number;
  /** Microseconds of processor time of Redis per call. */
  openUs: number;
  /** As `openUs` and `enqueueUs`, for tenants with a limit of each kind. */
  openLimitedUs: number;
  enqueueLimitedUs: number;
  enqueueUs: number;
  takeUs: number;
  positionUs: number;
  bytesPerUpload: number;
}

/** Limits that this benchmark never reaches. Each admission still compares them. */
const LIMITS: TenantLimits = {
  waiting: 1e9,
  receiving: 1e9,
  uploadsPerDay: 1e9,
  bytesPerDay: 1e15,
  storedBytes: 1e15,
  createPerMinute: 1e9,
};

/** Adds what admission, taking and a position cost in Redis, for growing numbers of waiting uploads. */
export async function measureOrder(
  session: Session,
  { waiting, tenants }: ScaleOptions,
  costs: OrderCost[],
): Promise<void> {
  const queue = new QueueOfTenants(session.redisUrl, session.directory);
  try {
    await queue.connection.flushdb();
    await withRedisMeter(session.redisUrl, async (meter) => {
      for (let length = SAMPLE; length <= waiting; length *= 10) {
        say(`${length} waiting uploads of ${tenants} tenants`);
        await fill(queue, length - SAMPLE, tenants);
        costs.push(await measureAt(queue, meter, length, tenants));
      }
    });
  } finally {
    await queue.close();
  }
}

async function fill(queue: QueueOfTenants, length: number, tenants: number): Promise<void> {
  const missing = Math.max(0, length - (await queue.waiting()));
  await queue.enqueue(await queue.open(missing, (index) => `tenant-${index % tenants}`));
}

async function measureAt(
  queue: QueueOfTenants,
  meter: RedisMeter,
  waiting: number,
  tenants: number,
): Promise<OrderCost> {
  const tenantOf = (index: number): string => `tenant-${(index * 7) % tenants}`;
  let ids: string[] = [];
  const openLimitedUs = await redisUs(meter, async () => void (ids = await queue.open(SAMPLE, tenantOf, LIMITS)));
  const enqueueLimitedUs = await redisUs(meter, () => queue.enqueue(ids));
  await queue.take(SAMPLE);
  const openUs = await redisUs(meter, async () => void (ids = await queue.open(SAMPLE, tenantOf)));
  const enqueueUs = await redisUs(meter, () => queue.enqueue(ids));
  const bytesPerUpload = await orderBytes(queue);
  const positionUs = await redisUs(meter, async () => {
    for (const id of ids) await queue.records.readProgress(id);
  });
  const takeUs = await redisUs(meter, () => queue.take(SAMPLE));
  return { waiting, openUs, openLimitedUs, enqueueUs, enqueueLimitedUs, positionUs, takeUs, bytesPerUpload };
}

/** Returns the mean processor time of Redis per call of `run`, with the sending of the reply. */
async function redisUs(meter: RedisMeter, run: () => Promise<void>): Promise<number> {
  await meter.begin();
  await run();
  return (await meter.cpuUs()) / SAMPLE;
}

/** Returns the bytes that the order takes in Redis for each waiting upload. */
async function orderBytes({ connection, keys }: QueueOfTenants): Promise<number> {
  const bytesOf = async (key: string) => Number(await connection.call('MEMORY', 'USAGE', key));
  const orderKeys = [keys.waiting, ...(await connection.keys(`${keys.fair}*`))];
  let bytes = 0;
  for (const key of orderKeys) bytes += await bytesOf(key);
  return bytes / (await connection.zcard(keys.waiting));
}

/** Returns the table of the costs. */
export function reportOrder(costs: readonly OrderCost[], tenants: number): string {
  const rows = costs.map((cost) => [
    figure(cost.waiting),
    figure(cost.openUs, 1),
    figure(cost.openLimitedUs, 1),
    figure(cost.enqueueUs, 1),
    figure(cost.enqueueLimitedUs, 1),
    figure(cost.takeUs, 1),
    figure(cost.positionUs, 1),
    figure(cost.bytesPerUpload),
  ]);
  const headings = [
    'waiting',
    'opening, µs',
    'with limits, µs',
    'admission, µs',
    'with limits, µs',
    'take, µs',
    'position, µs',
    'bytes per upload',
  ];
  const title = `processor time of Redis per call, with ${tenants} tenants; means of ${SAMPLE} calls`;
  return `${title}\n${formatTable(headings, rows)}`;
}
