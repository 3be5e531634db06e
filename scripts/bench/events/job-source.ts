import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { openRedis } from '../lib/open-redis.ts';
import type { EventSource } from './event-source.ts';
import { JOB_QUEUE, jobId } from './job-queue.ts';

const POLL_MS = 5;
const ADD_AT_ONCE = 500;

/** Ends a job that a worker holds, with a value. */
type Finish = (value: unknown) => void;

/**
 * Opens the events for the handler that waits for jobs. An upload is a chain of jobs, one per version, and an event is
 * the end of a job. One real worker always runs a job of every upload.
 */
export async function openJobSource(
  redisUrl: string,
  ids: readonly string[],
  { name, prefix }: { name: string; prefix: string } = JOB_QUEUE,
): Promise<EventSource> {
  const queue = new Queue(name, { connection: openRedis(redisUrl), prefix });
  const active = new Map<string, Finish>();
  const worker = new Worker(name, (job) => new Promise<unknown>((resolve) => active.set(job.id ?? '', resolve)), {
    connection: openRedis(redisUrl),
    prefix,
    concurrency: ids.length,
  });
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await worker.waitUntilReady();
  const versions = ids.map(() => 0);
  let added = 0;
  return {
    async ready(events) {
      // The polls need one job more than there are events, because a poll also follows the last answer.
      const wanted = Math.max(...versions) + Math.ceil(events / ids.length) + 1;
      for (; added < wanted; added += 1)
        await addJobs(
          queue,
          ids.map((id) => jobId(id, added + 1)),
        );
      while (active.size < ids.length) await delay(POLL_MS);
      return [...versions];
    },
    fire(slot) {
      const version = (versions[slot] = (versions[slot] ?? 0) + 1);
      finish(active, jobId(ids[slot] ?? '', version), { version });
      return { version, done: Promise.resolve() };
    },
  };
}

async function addJobs(queue: Queue, jobIds: readonly string[]): Promise<void> {
  for (let first = 0; first < jobIds.length; first += ADD_AT_ONCE) {
    await queue.addBulk(
      jobIds.slice(first, first + ADD_AT_ONCE).map((id) => ({ name: 'bench', data: {}, opts: { jobId: id } })),
    );
  }
}

function finish(active: Map<string, Finish>, id: string, value: unknown): void {
  const resolve = active.get(id);
  if (resolve === undefined) throw new Error(`no worker holds job ${id} yet`);
  active.delete(id);
  resolve(value);
}
