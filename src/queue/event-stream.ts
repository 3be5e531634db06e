import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../telemetry/log.ts';
import type { Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';
import { faultOf, NO_CONNECTION, reopenPauseMs, type EventFeed, type EventListener } from './event-feed.ts';
import { copyOf } from './redis-client.ts';
import { StreamGaps } from './stream-gaps.ts';
import { readStream, recordChange, streamPosition, type DecodeEntry, type StreamEntry } from './stream-reads.ts';

/** Period in which the reader's position is compared with the stream's, while there are waiters. */
const CHECK_PERIOD_MS = 500;

/** After a reader has run for this time, the pause before the next one is the shortest again. */
const STABLE_AFTER_MS = 10_000;

/**
 * Opens a feed of the changes of all uploads: every process reads BullMQ's whole event stream.
 * @param connection must wait for Redis; a copy of it makes the blocking reads. Both are closed with the feed.
 * @param decode default: the changes of records.
 */
export function openEventStream(
  connection: Redis,
  keys: Pick<QueueKeys, 'events'>,
  listener: StreamListener,
  log: Logger,
  decode: DecodeEntry = recordChange,
): EventFeed {
  return new EventStream({ connection, key: keys.events, listener, log, decode });
}

/** The part of a listener that a stream needs. */
type StreamListener = Pick<EventListener, 'changed' | 'missed' | 'hasWaiters'>;

interface StreamParts {
  connection: Redis;
  key: string;
  listener: StreamListener;
  log: Logger;
  decode: DecodeEntry;
}

class EventStream implements EventFeed {
  readonly opened: Promise<void>;
  readonly reportsAll = true;
  readonly #connection: Redis;
  readonly #reader: Redis;
  readonly #key: string;
  readonly #listener: StreamListener;
  readonly #decode: DecodeEntry;
  readonly #log: Logger;
  readonly #ended: Promise<void>;
  readonly #closing = new AbortController();
  #onOpened: () => void = () => undefined;
  #fault: string | undefined = 'the event stream is not open yet';
  #isWarned = false;
  #gaps: StreamGaps | undefined;
  #lastId = '';
  #isChecking = false;
  #checks: NodeJS.Timeout | undefined;

  constructor({ connection, key, listener, log, decode }: StreamParts) {
    this.#connection = connection;
    this.#reader = copyOf(connection);
    // The other connection logs that Redis is away.
    this.#reader.on('error', () => undefined);
    this.#key = key;
    this.#listener = listener;
    this.#decode = decode;
    this.#log = log;
    this.opened = new Promise((resolve) => (this.#onOpened = resolve));
    this.#ended = this.#run();
  }

  get fault(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    return this.#connection.status === 'ready' && this.#reader.status === 'ready' ? undefined : NO_CONNECTION;
  }

  /** Starts to look for gaps, which only matter to waiters. All changes are reported anyway. */
  listen(): undefined {
    if (!this.#isClosed) this.#checks ??= setInterval(() => void this.#check(), CHECK_PERIOD_MS).unref();
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#reader.disconnect();
    this.#connection.disconnect();
    await this.#ended;
  }

  /** Reads until the feed is closed. A reader that fails is opened again, after the last entry it has read. */
  async #run(): Promise<void> {
    const onReady = (): void => {
      if (this.#gaps !== undefined) this.#listener.missed();
    };
    this.#connection.on('ready', onReady);
    for (let failures = 0; !this.#isClosed; failures += 1) {
      const startedAtMs = performance.now();
      try {
        await this.#readOn();
      } catch (error) {
        if (this.#isClosed) break;
        this.#failed(error);
        if (performance.now() - startedAtMs > STABLE_AFTER_MS) failures = 0;
        await delay(reopenPauseMs(failures), undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
    }
    this.#stopChecks();
    this.#connection.off('ready', onReady);
  }

  /** Reads until an error occurs or the feed is closed. */
  async #readOn(): Promise<void> {
    await this.#begin();
    // The first read does not block, so that a missing right shows at once.
    for (let isFirst = true; !this.#isClosed; isFirst = false) {
      const entries = await readStream(this.#reader, this.#key, this.#lastId, !isFirst, this.#decode);
      if (isFirst) this.#succeeded();
      this.#received(entries);
    }
  }

  /**
   * Finds a concrete starting point: "from now on" would begin only with the first read and lose earlier changes. If
   * the stream ends before the last read entry, it is a different stream.
   */
  async #begin(): Promise<void> {
    const position = await streamPosition(this.#connection, this.#key);
    if (this.#gaps !== undefined && !isBefore(position.lastId, this.#lastId)) return;
    this.#lastId = position.lastId;
    this.#gaps = new StreamGaps(position);
  }

  #succeeded(): void {
    if (this.#isWarned) this.#log.info('events arrive again');
    this.#isWarned = false;
    this.#fault = undefined;
    this.#listener.missed();
    this.#onOpened();
  }

  #failed(error: unknown): void {
    this.#fault = faultOf(error);
    if (!this.#isWarned) this.#log.warn({ err: error }, 'event stream cannot be read');
    this.#isWarned = true;
  }

  #received(entries: readonly StreamEntry[]): void {
    for (const { id, jobId, data } of entries) {
      this.#lastId = id;
      if (jobId !== undefined) this.#listener.changed(jobId, data);
    }
    if (entries.length > 0 && this.#gaps?.read(entries.length, this.#lastId) === true) this.#missedSome();
  }

  async #check(): Promise<void> {
    if (!this.#listener.hasWaiters()) return this.#stopChecks();
    if (this.#isChecking || this.#gaps === undefined) return;
    this.#isChecking = true;
    const position = await streamPosition(this.#connection, this.#key).catch(() => undefined);
    this.#isChecking = false;
    if (position !== undefined && this.#gaps.missedUpTo(position)) this.#missedSome();
  }

  #stopChecks(): void {
    clearInterval(this.#checks);
    this.#checks = undefined;
  }

  #missedSome(): void {
    this.#log.warn('events were trimmed before they were read');
    this.#listener.missed();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }
}

/** Compares the ids of stream entries, `<ms>-<sequence>`. */
function isBefore(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return ms < otherMs || (ms === otherMs && sequence < otherSequence);
}
