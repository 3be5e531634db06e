import { Worker, type Job } from 'bullmq';
import { JOB_QUEUE, PROGRESS_QUEUE } from '../../events/job-queue.ts';
import { openRedis } from '../../lib/open-redis.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { WorkerQuestions } from '../throughput/questions.ts';

/** A plain BullMQ worker that does nothing, or only reports progress. */
serveQuestions<WorkerQuestions>({
  start({ redisUrl, concurrency, updates = 0 }) {
    const queue = updates > 0 ? PROGRESS_QUEUE : JOB_QUEUE;
    const reportProgress = async (job: Job): Promise<void> => {
      for (let update = 1; update <= updates; update += 1) await job.updateProgress((100 * update) / updates);
    };
    const worker = new Worker(queue.name, reportProgress, {
      connection: openRedis(redisUrl),
      prefix: queue.prefix,
      concurrency,
      removeOnComplete: { count: 0 },
    });
    worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  },
  ...OWN_USAGE,
});
