import { QueueEvents } from 'bullmq';
import { loadConfig } from '../../../../src/settings/config.ts';
import { QUEUE_NAME, queueKeys } from '../../../../src/queue/contract.ts';
import { openRedis } from '../../lib/open-redis.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';

/** The questions for a process that only counts events. */
export type ReaderQuestions = {
  start(redisUrl: string): Promise<void>;
  /** Number of events since the start of the process. */
  received(): number;
  /** Returns the processor time of the process since its start, in microseconds. */
  cpuUs(): number;
};

let received = 0;

/** A plain `QueueEvents` of BullMQ that only counts events. */
serveQuestions<ReaderQuestions>({
  async start(redisUrl) {
    const reader = new QueueEvents(QUEUE_NAME, {
      connection: openRedis(redisUrl),
      prefix: queueKeys(loadConfig({}).queuePrefix).bullPrefix,
      lastEventId: '0-0',
    });
    reader.on('error', (error) => process.stderr.write(`${error.message}\n`));
    reader.on('progress', () => (received += 1));
    await reader.waitUntilReady();
  },
  received: () => received,
  ...OWN_USAGE,
});
