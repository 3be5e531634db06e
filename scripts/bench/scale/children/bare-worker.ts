import { Worker } from 'bullmq';
import { JOB_QUEUE } from '../../events/job-queue.ts';
import { openRedis } from '../../lib/open-redis.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';

/** BullMQ's own worker with nothing to do. */
serveQuestions<WorkerQuestions>({
  start({ redisUrl, concurrency }) {
    const worker = new Worker(JOB_QUEUE.name, () => Promise.resolve(), {
      connection: openRedis(redisUrl),
      prefix: JOB_QUEUE.prefix,
      concurrency,
      removeOnComplete: { count: 0 },
    });
    worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  },
  ...OWN_USAGE,
});
