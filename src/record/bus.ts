import type { Registry } from '../deferred/registry.ts';
import type { Logger } from '../telemetry/log.ts';
import type { EventFeed, EventListener } from '../queue/event-feed.ts';
import type { ProgressState } from './progress.ts';
import { decodeProgress, type RecordFields } from './record-fields.ts';

/** Opens a feed of changes. */
export type OpenEvents = (listener: EventListener) => EventFeed;

/**
 * Events in, waiters woken, whichever feed they come from. It looks at those events alone that a waiter of its
 * own process is concerned with; after a gap it wakes everybody, to read the records anew.
 */
export class ProgressBus {
  readonly #registry: Registry<ProgressState>;
  readonly #open: OpenEvents;
  readonly #log: Logger;
  #feed: EventFeed | undefined;
  #askedBefore: string[] = [];
  #heard = 0;

  constructor(registry: Registry<ProgressState>, open: OpenEvents, log: Logger) {
    this.#registry = registry;
    this.#open = open;
    this.#log = log;
  }

  /** Events heard since the start, whether or not they concerned anybody. */
  get heard(): number {
    return this.#heard;
  }

  /**
   * Begins to listen; resolves when it does, which takes as long as Redis is away. Waiters that came
   * before are woken then.
   */
  async start(): Promise<void> {
    this.#feed = this.#open({
      changed: (id, fields) => this.#changed(id, fields),
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

  #changed(id: string, fields: unknown): void {
    this.#heard += 1;
    if (!this.#registry.has(id)) return;
    try {
      this.#registry.wake(id, isFields(fields) ? decodeProgress(id, fields) : undefined);
    } catch (error) {
      this.#log.error({ err: error, uploadId: id }, 'event not understood');
      this.#registry.wake(id, undefined);
    }
  }
}

function isFields(value: unknown): value is RecordFields {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((field) => typeof field === 'string')
  );
}
