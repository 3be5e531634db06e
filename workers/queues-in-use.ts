import type { Redis } from '../src/queue/connection.ts';

/** The part of a BullMQ worker that returns the keys of its queue. */
interface QueueOfWorker {
  toKey(type: string): string;
}

/** The member of the set `marker` that shows that a job waits. Taking it ends the blocking read of one worker. */
const MARKER = [0, '0'] as const;

/**
 * Returns the queues of which any process has a job in use. Also ends a blocking read of each queue that has other
 * jobs: a worker that died may have taken their marker, and then no other worker would be woken.
 */
export async function queuesInUse<Q extends QueueOfWorker>(connection: Redis, queues: readonly Q[]): Promise<Q[]> {
  const keys = queues.flatMap((queue) => ['active', 'wait', 'delayed'].map((type) => queue.toKey(type)));
  // An empty list does not exist, so an idle installation needs only one command.
  if ((await connection.exists(...keys)) === 0) return [];
  const replies = (await connection.pipeline(keys.map((key) => ['exists', key])).exec()) ?? [];
  const exists = (index: number): boolean => replies[index]?.[1] !== 0;
  for (const [index, queue] of queues.entries()) {
    if (exists(3 * index + 1) || exists(3 * index + 2)) await connection.zadd(queue.toKey('marker'), ...MARKER);
  }
  return queues.filter((_, index) => exists(3 * index));
}
