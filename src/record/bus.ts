import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventFeed, EventListener } from '../queue/event-feed.ts';
import { KnownStates } from './known-states.ts';
import type { ProgressState } from './progress.ts';
import { decodeProgress, type RecordFields } from './record-fields.ts';

/** Opens a feed of changes. */
export type OpenEvents = (listener: EventListener) => EventFeed;

/** Unreadable events cause at most one warning in this time. */
const WARN_PERIOD_MS = 60_000;

const RETRY_AFTER_MS = 2_000;

/**
 * Wakes the waiters of this process when an event arrives, from any kind of feed. Events of uploads that nobody waits
 * for are not parsed. After a gap in the events, all waiters read their records again.
 */
export class ProgressBus {
  readonly #registry: Registry<ProgressState>;
  readonly #open: OpenEvents;
  readonly #log: Logger;
  readonly #known = new KnownStates();
  #feed: EventFeed | undefined;
  #idsBeforeStart: string[] = [];
  #received = 0;
  #damaged = 0;
  #warnedAtMs = -Infinity;

  constructor(registry: Registry<ProgressState>, open: OpenEvents, log: Logger) {
    this.#registry = registry;
    this.#open = open;
    this.#log = log;
  }

  /** Number of events received since the start, also of uploads that nobody waits for. */
  get received(): number {
    return this.#received;
  }

  /** Throws `service_unavailable` (503), with the reason, while no events are received. */
  assertReceiving(): void {
    const fault = this.#feed === undefined ? 'the feed is not open yet' : this.#feed.fault;
    if (fault === undefined) return;
    throw new ServiceError(
      'service_unavailable',
      `This process receives no events of uploads: ${fault}. Try again shortly.`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  /**
   * Opens the feed. Resolves when events arrive, so it takes as long as Redis is away. Waiters registered earlier are
   * woken then.
   */
  async start(): Promise<void> {
    this.#feed = this.#open({
      changed: (id, data) => this.#changed(id, data),
      missed: () => this.#missed(),
      isWanted: (id) => this.#registry.has(id),
      hasWaiters: () => this.#registry.size > 0,
    });
    void this.#feed.listen(this.#idsBeforeStart.splice(0));
    await this.#feed.opened;
  }

  /**
   * Starts events for these ids. Await it after registering a waiter and before reading the record. See
   * `EventFeed.listen`.
   */
  listen(ids: readonly string[]): Promise<void> | undefined {
    if (this.#feed !== undefined) return this.#feed.listen(ids);
    this.#idsBeforeStart.push(...ids);
    return undefined;
  }

  /**
   * Returns the state of an upload from its last event. The record is newer only while a later event is on its way.
   * Undefined if there was no such event within the last seconds, or if events may be missed.
   */
  knownState(id: string): ProgressState | undefined {
    return this.#feed?.fault === undefined ? this.#known.get(id) : undefined;
  }

  async close(): Promise<void> {
    await this.#feed?.close();
  }

  #changed(id: string, data: string | undefined): void {
    this.#received += 1;
    const event = this.#registry.has(id) ? this.#decode(id, data) : undefined;
    if (event === undefined || this.#feed?.reportsAll !== true) this.#known.forget(id);
    else this.#known.changed(event);
    this.#registry.wake(id, event);
  }

  #missed(): void {
    this.#known.forgetAll();
    this.#registry.wakeAll();
  }

  /** Returns undefined for an unreadable event; its waiters then read the record. */
  #decode(id: string, data: string | undefined): ProgressState | undefined {
    try {
      const fields: unknown = JSON.parse(data ?? '');
      if (isFields(fields)) return decodeProgress(id, fields);
      throw new Error('not the fields of a record');
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    this.#damaged += 1;
    const nowMs = performance.now();
    if (nowMs - this.#warnedAtMs < WARN_PERIOD_MS) return;
    this.#warnedAtMs = nowMs;
    this.#log.warn({ err: error, events: this.#damaged }, 'unreadable events');
    this.#damaged = 0;
  }
}

function isFields(value: unknown): value is RecordFields {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((field) => typeof field === 'string')
  );
}
