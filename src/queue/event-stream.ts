import { QueueEvents } from 'bullmq';
import type { Logger } from '../log.ts';
import type { Redis } from './connection.ts';
import { QUEUE_NAME, type QueueKeys } from './contract.ts';

/** Stream ids sort before every event there will be. */
const BEFORE_ALL_EVENTS = '0-0';

/** What the stream tells its listener. Neither may throw: BullMQ's reading loop would end. */
export interface EventListener {
  /** A record changed. `fields` is what the record's script put into the event. */
  changed(id: string, fields: unknown): void;
  /** The connection was lost and is back: the stream may have been trimmed meanwhile. */
  resumed(): void;
}

/** An open stream; `close` ends the blocking read at once. */
export interface EventStream {
  close(): Promise<void>;
}

/**
 * Listens to the changes of all uploads through BullMQ's `QueueEvents`. Resolves once a concrete
 * starting point in the stream is known: by default the reader would start at "from now on" with its
 * first read, and lose what happens until then.
 * @param connection one that waits for Redis, for the blocking read alone; closed with the stream.
 */
export async function openEventStream(
  connection: Redis,
  keys: QueueKeys,
  listener: EventListener,
  log: Logger,
): Promise<EventStream> {
  const [newest] = await connection.xrevrange(keys.events, '+', '-', 'COUNT', 1);
  connection.on('ready', () => listener.resumed());
  const events = new QueueEvents(QUEUE_NAME, {
    connection,
    prefix: keys.bullPrefix,
    skipVersionCheck: true,
    lastEventId: newest?.[0] ?? BEFORE_ALL_EVENTS,
  });
  events.on('error', (error) => log.debug({ reason: error.message }, 'event stream'));
  events.on('progress', ({ jobId, data }) => listener.changed(jobId, data));
  return {
    async close() {
      await events.close();
      connection.disconnect();
    },
  };
}
