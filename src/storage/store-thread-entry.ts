import { parentPort } from 'node:worker_threads';
import { storeBatch, type StoreJob } from './store-batch.ts';

/** More jobs would open too many files at once. */
const MOST_JOBS = 64;

const waiting: StoreJob[] = [];

/** All jobs that came while the last batch ran are one batch. */
async function storeWaiting(): Promise<void> {
  const jobs = waiting.splice(0, MOST_JOBS);
  if (waiting.length > 0) setImmediate(() => void storeWaiting());
  parentPort?.postMessage(await storeBatch(jobs));
}

parentPort?.on('message', (job: StoreJob) => {
  if (waiting.push(job) === 1) setImmediate(() => void storeWaiting());
});
