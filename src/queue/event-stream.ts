import { createRedisBackend, QueueEvents, type BackendFactory, type RedisQueueBackend } from 'bullmq';
import type { Logger } from '../telemetry/log.ts';
import type { Redis } from './connection.ts';
import { QUEUE_NAME, type QueueKeys } from './contract.ts';
import type { EventFeed, EventListener } from './event-feed.ts';
import { StreamGaps, type StreamPosition } from './stream-gaps.ts';

/** Stream ids sort before every event there will be. */
const BEFORE_ALL_EVENTS = '0-0';

/** How often the stream is asked how far it is, beside its being read. */
const CHECK_PERIOD_MS = 500;

/**
 * The changes of all uploads, through BullMQ's `QueueEvents`: every process reads every change.
 * @param connection one that waits for Redis; BullMQ reads over a copy of it. Closed with the feed.
 */
export function openEventStream(connection: Redis, keys: QueueKeys, listener: EventListener, log: Logger): EventFeed {
  const stream = new EventStream(connection, keys, listener, log);
  return { opened: stream.open(), listen: () => undefined, close: () => stream.close() };
}

class EventStream {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #listener: EventListener;
  readonly #log: Logger;
  #reader: QueueEvents | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  #isClosed = false;

  constructor(connection: Redis, keys: QueueKeys, listener: EventListener, log: Logger) {
    this.#connection = connection;
    this.#keys = keys;
    this.#listener = listener;
    this.#log = log;
  }

  /**
   * Resolves once a concrete starting point in the stream is known: by default the reader would start at
   * "from now on" with its first read, and lose what happens until then.
   */
  async open(): Promise<void> {
    const start = await this.#position().catch((error: unknown) => {
      if (!this.#isClosed) throw error;
      return undefined;
    });
    if (start === undefined || this.#isClosed) return;
    this.#connection.on('ready', () => this.#listener.missed());
    const gaps = new StreamGaps(start);
    const options = {
      connection: this.#connection,
      prefix: this.#keys.bullPrefix,
      skipVersionCheck: true,
      lastEventId: start.lastId,
    };
    const backend = backendThatReads((entries, lastId) => gaps.read(entries, lastId) && this.#toldTooLate());
    const reader = new QueueEvents(QUEUE_NAME, options, backend);
    reader.on('error', (error) => this.#log.debug({ reason: error.message }, 'event stream'));
    reader.on('progress', ({ jobId, data }) => this.#listener.changed(jobId, data));
    this.#reader = reader;
    this.#timer = setInterval(() => void this.#check(gaps), CHECK_PERIOD_MS).unref();
    this.#listener.missed();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    // It knows that it closes before the connection goes, or it would wait to read again.
    const closed = this.#reader?.close();
    this.#connection.disconnect();
    await closed;
  }

  async #check(gaps: StreamGaps): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const position = await this.#position().catch(() => undefined);
    this.#isChecking = false;
    if (position !== undefined && gaps.missedUpTo(position)) this.#toldTooLate();
  }

  #toldTooLate(): void {
    this.#log.warn('events may have been trimmed before they were read; looking at all records that are waited for');
    this.#listener.missed();
  }

  async #position(): Promise<StreamPosition> {
    const reply = await this.#connection.call('XINFO', ['STREAM', this.#keys.events]).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith('ERR no such key')) return undefined;
      throw error;
    });
    if (!Array.isArray(reply)) return { lastId: BEFORE_ALL_EVENTS, added: 0 };
    const valueOf = (name: string): unknown => reply[reply.indexOf(name) + 1];
    const added = reply.includes('entries-added') ? Number(valueOf('entries-added')) : undefined;
    return { lastId: String(valueOf('last-generated-id')), added };
  }
}

type ReadEvents = RedisQueueBackend['readEvents'];

/** BullMQ's own backend, with a look at what each read brings. */
function backendThatReads(onRead: (entries: number, lastId: string) => void): BackendFactory<RedisQueueBackend> {
  return (...parts) => {
    const backend = createRedisBackend(...parts);
    const readEvents: ReadEvents = backend.readEvents.bind(backend);
    backend.readEvents = async (...from) => {
      const read = await readEvents(...from);
      const entries = read?.[0]?.[1] ?? [];
      const lastId = entries.at(-1)?.[0];
      if (lastId !== undefined) onRead(entries.length, lastId);
      return read;
    };
    return backend;
  };
}
