import type { Registry } from '../deferred/registry.ts';
import type { Logger } from '../log.ts';
import type { EventListener, EventStream } from '../queue/event-stream.ts';
import type { ProgressState } from './progress.ts';
import { decodeProgress, type RecordFields } from './record-fields.ts';

/** Opens a stream of changes; resolves when nothing that happens from now on can be missed. */
export type OpenEvents = (listener: EventListener) => Promise<EventStream>;

/**
 * Events in, waiters woken. Each process listens to all changes and looks at those alone that a waiter of
 * its own is concerned with; after a gap in the stream it wakes everybody, to read the records anew.
 */
export class ProgressBus {
  readonly #registry: Registry<ProgressState>;
  readonly #open: OpenEvents;
  readonly #log: Logger;
  #stream: Promise<EventStream> | undefined;
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
    this.#stream = this.#open({
      changed: (id, fields) => this.#changed(id, fields),
      resumed: () => this.#registry.wakeAll(),
    });
    await this.#stream;
    this.#registry.wakeAll();
  }

  /** Where the stream never opened, its connection has to be closed first. */
  async close(): Promise<void> {
    const stream = await this.#stream?.catch(() => undefined);
    await stream?.close();
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
  return typeof value === 'object' && value !== null && Object.values(value).every((field) => typeof field === 'string');
}
