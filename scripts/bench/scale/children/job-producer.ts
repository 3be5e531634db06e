import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { eventually } from '../../../../test/helpers/eventually.ts';
import { JOB_QUEUE, PROGRESS_QUEUE } from '../../events/job-queue.ts';
import { openRedis } from '../../lib/open-redis.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { eachAtOnce } from '../../lib/at-once.ts';
import type { ProducerQuestions } from '../throughput/questions.ts';

const FINISH_WITHIN_MS = 60_000;

let bull: Queue | undefined;

/** Adds jobs without data in the same way as the service, and nothing else. */
serveQuestions<ProducerQuestions>({
  async open({ redisUrl, updates = 0 }) {
    const queue = updates > 0 ? PROGRESS_QUEUE : JOB_QUEUE;
    bull = new Queue(queue.name, { connection: openRedis(redisUrl), prefix: queue.prefix });
    await bull.waitUntilReady();
  },
  prepare: () => Promise.resolve(),
  async add({ count, atOnce }) {
    const startedAtMs = Date.now();
    await eachAtOnce(count, atOnce, () => opened().add('digest', {}, { jobId: randomUUID(), removeOnComplete: true }));
    return startedAtMs;
  },
  async finished() {
    await eventually(
      'the queue to be empty',
      async () => (await opened().count()) + (await opened().getActiveCount()) === 0,
      FINISH_WITHIN_MS,
    );
    return Date.now();
  },
  workers: () => opened().getWorkersCount(),
  pause: () => opened().pause(),
  async resume() {
    const atMs = Date.now();
    await opened().resume();
    return atMs;
  },
  ...OWN_USAGE,
});

function opened(): Queue {
  if (bull === undefined) throw new Error('nothing is open');
  return bull;
}
