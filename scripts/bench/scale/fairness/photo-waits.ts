import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OTHER_KIND } from '../../../../src/queue/contract.ts';
import { UploadQueue } from '../../../../src/queue/upload-queue.ts';
import { MARKER_KEY } from '../../../../src/storage/keys.ts';
import { createLog } from '../../../../src/telemetry/log.ts';
import { say } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import { median, percentile } from '../../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../../lib/table.ts';
import type { ScaleOptions } from '../lib/part.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';
import { QueueOfTenants } from './queue-of-tenants.ts';
import { readSlotTimes, type SlotTimes } from './slot-times.ts';

const POLL_MS = 20;

/** How long a file takes a worker, so that the queue of the other tenant does not become empty. */
const WORK_MS = 10;

/** The other tenant has at least this number of waiting uploads, even at the end. */
const WAITING = 10_000;

/** Photos that were sent while the queue was empty, and beside another tenant. */
export interface PhotoTimes {
  readonly alone: SlotTimes[];
  readonly crowded: SlotTimes[];
}

/** Measures how long single photos of one tenant wait while another tenant has 10,000 waiting uploads. */
export async function measurePhotos(session: Session, { photos }: ScaleOptions, times: PhotoTimes): Promise<void> {
  const { redisUrl, directory } = session;
  const worker = session.start<WorkerQuestions>('../scale/children/worker');
  await worker.ask('start', { redisUrl, directory, concurrency: 1, settings: {}, workMs: WORK_MS });
  await untilAdopted(directory);
  const tenants = new QueueOfTenants(redisUrl, directory);
  const queue = new UploadQueue(tenants.connection, tenants.keys, createLog('worker', { logLevel: 'silent' }));
  try {
    await sendPhotos(tenants, queue, Math.ceil(photos / 10), []);
    say('photos on an empty queue');
    await sendPhotos(tenants, queue, photos, times.alone);
    say(`photos while another tenant has ${WAITING} waiting uploads`);
    const others = await tenants.open(WAITING + 2 * photos, () => 'other');
    await tenants.store(others);
    await tenants.enqueue(others);
    await queue.addMany(OTHER_KIND, others.length);
    await sendPhotos(tenants, queue, photos, times.crowded);
    const left = await tenants.waiting();
    if (left < WAITING) throw new Error(`only ${left} uploads of the other tenant were left`);
  } finally {
    await queue.close();
    await tenants.close();
    await worker.end();
  }
}

/** Waits for the marker of the installation, because a worker refuses a storage that has files but no marker. */
async function untilAdopted(directory: string): Promise<void> {
  while (!existsSync(join(directory, MARKER_KEY))) await delay(POLL_MS);
}

/** Sends one photo after the other and adds their times. */
async function sendPhotos(
  tenants: QueueOfTenants,
  queue: UploadQueue,
  count: number,
  times: SlotTimes[],
): Promise<void> {
  const ids = await tenants.open(count, () => 'single');
  await tenants.store(ids);
  for (const id of ids) {
    const sinceMs = Date.now();
    await tenants.enqueue([id]);
    await queue.add(OTHER_KIND);
    await untilLeft(tenants, id, 'queued');
    times.push(await readSlotTimes(tenants.connection, tenants.keys.events, id, sinceMs));
    await untilLeft(tenants, id, 'processing');
  }
}

/** Resolves when the upload has left the state. */
async function untilLeft({ records }: QueueOfTenants, id: string, state: string): Promise<void> {
  while ((await records.readProgress(id))?.state.state === state);
}

/** Returns the table and the state of the targets. */
export function reportPhotos({ alone, crowded }: PhotoTimes): string {
  const kinds = [
    ['empty queue', alone],
    [`${WAITING} of another tenant`, crowded],
  ] as const;
  const netOf = (times: SlotTimes[]) => times.map(({ waitMs, workMs }) => waitMs - workMs);
  const rows = kinds.map(([title, times]) => {
    const waits = times.map(({ waitMs }) => waitMs);
    return [title, ...[waits, netOf(times)].flatMap((ms) => [figure(median(ms), 1), figure(percentile(ms, 0.99), 1)])];
  });
  const title = `time until a single photo is begun by one worker with one slot; each file takes ${WORK_MS} ms`;
  const targets = [
    {
      what: 'p99 without the work of one slot, over an empty queue',
      value: percentile(netOf(crowded), 0.99) / percentile(netOf(alone), 0.99),
      most: 2,
    },
    // Other load on the machine cannot change this figure.
    {
      what: 'uploads of the other tenant begun before a photo, at most',
      value: Math.max(...crowded.map(({ othersFirst }) => othersFirst)),
      most: 1,
      digits: 0,
    },
  ];
  const heads = ['queue', 'p50, ms', 'p99, ms', 'without one work, p50', 'p99'];
  return `${title}\n${formatTable(heads, rows)}\n\n${formatTargets(targets)}`;
}
