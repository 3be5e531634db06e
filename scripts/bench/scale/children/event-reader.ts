import { QueueEvents } from 'bullmq';
import { loadConfig } from '../../../../src/settings/config.ts';
import { QUEUE_NAME, queueKeys } from '../../../../src/queue/contract.ts';
import { openRedis } from '../../lib/open-redis.ts';
import { OWN_USAGE } from '../../lib/server-questions.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';

/** What a process is asked that only counts events. */
export type ReaderQuestions = {
  start(redisUrl: string): Promise<void>;
  /** Since its start. */
  heard(): number;
  /** Processor time since its start, in microseconds. */
  cpuUs(): number;
};

let heard = 0;

/** BullMQ's `QueueEvents` as it is, which does nothing with what it hears. */
serveQuestions<ReaderQuestions>({
  async start(redisUrl) {
    const reader = new QueueEvents(QUEUE_NAME, {
      connection: openRedis(redisUrl),
      prefix: queueKeys(loadConfig({}).queuePrefix).bullPrefix,
      lastEventId: '0-0',
    });
    reader.on('error', (error) => process.stderr.write(`${error.message}\n`));
    reader.on('progress', () => (heard += 1));
    await reader.waitUntilReady();
  },
  heard: () => heard,
  ...OWN_USAGE,
});
