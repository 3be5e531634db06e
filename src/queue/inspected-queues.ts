import { Queue } from 'bullmq';
import type { Logger } from '../telemetry/log.ts';
import type { Redis } from './connection.ts';
import { QUEUE_NAME, SWEEP_QUEUE_NAME, type QueueKeys } from './contract.ts';

/** BullMQ's own view of the queues, for tools that look into them. */
export interface InspectedQueues {
  uploads: Queue;
  sweeps: Queue;
  close(): Promise<void>;
}

/** Opens them over a connection that stays the caller's. */
export function openInspectedQueues(connection: Redis, keys: QueueKeys, log: Logger): InspectedQueues {
  const open = (name: string): Queue => {
    const queue = new Queue(name, {
      connection,
      prefix: keys.bullPrefix,
      skipVersionCheck: true,
      skipMetasUpdate: true,
    });
    queue.on('error', (error) => log.debug({ reason: error.message }, 'inspected queue'));
    return queue;
  };
  const uploads = open(QUEUE_NAME);
  const sweeps = open(SWEEP_QUEUE_NAME);
  return {
    uploads,
    sweeps,
    async close() {
      await Promise.all([uploads.close(), sweeps.close()]);
    },
  };
}
