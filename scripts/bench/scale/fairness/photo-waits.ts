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

const POLL_MS = 20;

/** How long a file takes a worker, so that the queue of the other tenant does not become empty. */
const WORK_MS = 10;

/** The other tenant has this number of waiting uploads at the end. It has more at the beginning. */
const WAITING = 10_000;

interface Waits {
  title: string;
  /** Milliseconds from the admission of a photo until a worker has begun it. */
  ms: number[];
}

/** Measures how long single photos of one tenant wait while another tenant has 10,000 waiting uploads. */
export async function measurePhotos(session: Session, { photos }: ScaleOptions): Promise<string> {
  const { redisUrl, directory } = session;
  const worker = session.start<WorkerQuestions>('../scale/children/worker');
  await worker.ask('start', { redisUrl, directory, concurrency: 1, settings: {}, workMs: WORK_MS });
  await untilAdopted(directory);
  const tenants = new QueueOfTenants(redisUrl, directory);
  const queue = new UploadQueue(tenants.connection, tenants.keys, createLog('worker', { logLevel: 'silent' }));
  try {
    await sendPhotos(tenants, queue, Math.ceil(photos / 10));
    say('photos on an empty queue');
    const alone = { title: 'empty queue', ms: await sendPhotos(tenants, queue, photos) };
    say(`photos while another tenant has ${WAITING} waiting uploads`);
    const others = await tenants.open(WAITING + 2 * photos, () => 'other');
    await tenants.store(others);
    await tenants.enqueue(others);
    await queue.addMany(OTHER_KIND, others.length);
    const crowded = { title: `${WAITING} of another tenant`, ms: await sendPhotos(tenants, queue, photos) };
    const left = await tenants.waiting();
    if (left < WAITING) throw new Error(`only ${left} uploads of the other tenant were left`);
    return report(alone, crowded);
  } finally {
    await queue.close();
    await tenants.close();
    await worker.end();
  }
}

/** A worker refuses a storage that has files before it has the marker of the installation. */
async function untilAdopted(directory: string): Promise<void> {
  while (!existsSync(join(directory, MARKER_KEY))) await delay(POLL_MS);
}

/** Sends one photo after the other. */
async function sendPhotos(tenants: QueueOfTenants, queue: UploadQueue, count: number): Promise<number[]> {
  const ids = await tenants.open(count, () => 'single');
  await tenants.store(ids);
  const waits: number[] = [];
  for (const id of ids) {
    const startMs = performance.now();
    await tenants.enqueue([id]);
    await queue.add(OTHER_KIND);
    await untilState(tenants, id, 'queued');
    waits.push(performance.now() - startMs);
    await untilState(tenants, id, 'processing');
  }
  return waits;
}

/** Resolves when the upload has left the state. */
async function untilState({ records }: QueueOfTenants, id: string, state: string): Promise<void> {
  while ((await records.readProgress(id))?.state.state === state);
}

function report(alone: Waits, crowded: Waits): string {
  const rows = [alone, crowded].map(({ title, ms }) => [
    title,
    figure(median(ms), 1),
    figure(percentile(ms, 0.99), 1),
    figure(Math.max(...ms), 1),
  ]);
  const title = `time until a single photo is begun by one worker with one slot; each file takes ${WORK_MS} ms`;
  const [usual, worst] = [alone, crowded].map(({ ms }) => percentile(ms, 0.99));
  const target = {
    what: 'p99 without the work of one slot, over an empty queue',
    value: Math.max(0, (worst ?? NaN) - WORK_MS) / (usual ?? NaN),
    most: 2,
  };
  return `${title}\n${formatTable(['queue', 'p50, ms', 'p99, ms', 'longest, ms'], rows)}\n\n${formatTargets([target])}`;
}
