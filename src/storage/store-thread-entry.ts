import { parentPort } from 'node:worker_threads';
import { storeBatch, type StoreJob } from './store-batch.ts';

/** Maximum number of jobs in a batch. More would open too many files at once. */
const MOST_JOBS = 64;

const waiting: StoreJob[] = [];

let isRunning = false;

/** Runs batches one after the other, because a job may rely on the folders of an earlier batch. */
async function storeWaiting(): Promise<void> {
  while (waiting.length > 0) parentPort?.postMessage(await storeBatch(waiting.splice(0, MOST_JOBS)));
  isRunning = false;
}

parentPort?.on('message', (job: StoreJob) => {
  waiting.push(job);
  if (!isRunning) setImmediate(() => void storeWaiting());
  isRunning = true;
});
