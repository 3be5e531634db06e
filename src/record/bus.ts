import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventFeed, EventListener } from '../queue/event-feed.ts';
import type { ProgressState } from './progress.ts';
import { decodeProgress, type RecordFields } from './record-fields.ts';

/** Opens a feed of changes. */
export type OpenEvents = (listener: EventListener) => EventFeed;

/** At most one warning about events that cannot be understood in this time. */
const WARN_PERIOD_MS = 60_000;

const RETRY_AFTER_MS = 2_000;

/**
 * Events in, waiters woken, whichever feed they come from. It reads only events that a waiter of its own process
 * is concerned with; after a gap it wakes all waiters to read their records again.
 */
export class ProgressBus {
  readonly #registry: Registry<ProgressState>;
  readonly #open: OpenEvents;
  readonly #log: Logger;
  #feed: EventFeed | undefined;
  #askedBefore: string[] = [];
  #heard = 0;
  #damaged = 0;
  #warnedAtMs = -Infinity;

  constructor(registry: Registry<ProgressState>, open: OpenEvents, log: Logger) {
    this.#registry = registry;
    this.#open = open;
    this.#log = log;
  }

  /** Events received since the start, whether or not they concerned a waiter. */
  get heard(): number {
    return this.#heard;
  }

  /** Throws `service_unavailable` (503), with the reason, while no events are received. */
  assertHearing(): void {
    const fault = this.#feed === undefined ? 'the feed is not open yet' : this.#feed.fault;
    if (fault === undefined) return;
    throw new ServiceError('service_unavailable', `This process receives no events of uploads: ${fault}.`, {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  /**
   * Begins to listen; resolves when it does, which takes as long as Redis is away. Waiters that came
   * before are woken then.
   */
  async start(): Promise<void> {
    this.#feed = this.#open({
      changed: (id, data) => this.#changed(id, data),
      missed: () => this.#registry.wakeAll(),
      isWanted: (id) => this.#registry.has(id),
    });
    void this.#feed.listen(this.#askedBefore.splice(0));
    await this.#feed.opened;
  }

  /** To be awaited between registering and reading; see `EventFeed.listen`. */
  listen(ids: readonly string[]): Promise<void> | undefined {
    if (this.#feed !== undefined) return this.#feed.listen(ids);
    this.#askedBefore.push(...ids);
    return undefined;
  }

  async close(): Promise<void> {
    await this.#feed?.close();
  }

  #changed(id: string, data: string | undefined): void {
    this.#heard += 1;
    if (!this.#registry.has(id)) return;
    this.#registry.wake(id, this.#decode(id, data));
  }

  /** Undefined for an event that cannot be understood: its waiters read the record. */
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
    this.#log.warn({ err: error, events: this.#damaged }, 'event not understood; reading the record');
    this.#damaged = 0;
  }
}

function isFields(value: unknown): value is RecordFields {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((field) => typeof field === 'string')
  );
}
