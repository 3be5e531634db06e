import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import type { ProgressState } from './progress.ts';

/** Pause before a failed read is tried again while Redis is away. The jitter spreads the reads of many waiters. */
const RETRY_MS = 500;
const RETRY_JITTER_MS = 250;

/** The facts about a change that every event contains. */
export interface ChangeEvent {
  id: string;
  /** The time at which the event was created. */
  eventAtMs?: number;
  /** Position of the span that queued the upload; only if the request was traced. */
  trace?: string;
}

/** Follows the records of some uploads: for a held response, an event stream, or a request that still receives. */
export interface RecordObserver<Event = ProgressState> {
  /** Ids of the uploads to follow. The array is not copied. */
  readonly ids: readonly string[];
  /** True if nothing more needs to be read. */
  readonly isDone: boolean;
  /**
   * Returns true if the observer knows the records already and was registered since then, so that it needs no first
   * read. Default: it needs one.
   */
  isCurrent?(): boolean;
  /**
   * Reads the records of `ids`, which are all or some of its own, and acts on them.
   * @param eventAtMs when the event that caused the read was created; undefined if no event caused it.
   */
  read(ids: readonly string[], eventAtMs: number | undefined): Promise<void>;
  /** Acts on an event. Returns false if the record must be read. */
  changed(event: Event): boolean;
}

/** Starts a subscription in the background and returns its release. Failed reads are tried again. */
export type Subscribe = (observer: RecordObserver) => () => void;

/**
 * The only way to wait for changes of records. State is the truth and events are wake-ups: it registers first, then
 * reads the records, then passes events on. After a gap in the events it reads all records again, and repeats that
 * while Redis is away. So events may be lost, late, duplicated or reordered. Only one read runs at a time; wakes during
 * it cause one more.
 */
export class RecordSubscription<Event extends ChangeEvent = ProgressState> {
  readonly #registry: Registry<Event>;
  readonly #observer: RecordObserver<Event>;
  #release: (() => void) | undefined;
  #isReading = false;
  /** Ids to read next, and when the event that caused the read was created. */
  #due: readonly string[] | undefined;
  #dueEventAtMs: number | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(registry: Registry<Event>, observer: RecordObserver<Event>) {
    this.#registry = registry;
    this.#observer = observer;
  }

  /**
   * Registers, and reads the records for the first time if that is necessary. Call it once.
   * @param failure what happens if the first read fails: `rejects` closes the subscription and rejects with the error,
   *   `retries` reads again after a pause.
   */
  async open(failure: 'rejects' | 'retries' = 'rejects'): Promise<void> {
    const { ids } = this.#observer;
    this.#isReading = true;
    this.#release = this.#registry.register(ids, (event) => this.#woken(event));
    try {
      const listening = this.#registry.listening(ids);
      if (listening !== undefined) await listening;
      if (this.#observer.isCurrent?.() !== true) this.#readLater(ids, undefined);
      await this.#readDue();
    } catch (error) {
      if (failure === 'retries') return this.#retryAfter(error);
      this.close();
      throw error;
    }
  }

  /** Releases everything at once. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    this.#due = undefined;
    clearTimeout(this.#retryTimer);
    this.#release?.();
  }

  #woken(event: Event | undefined): void {
    if (this.#isOver || (event !== undefined && this.#observer.changed(event))) return;
    this.#readLater(event === undefined ? this.#observer.ids : [event.id], event?.eventAtMs);
    this.#readUnlessReading();
  }

  #readLater(ids: readonly string[], eventAtMs: number | undefined): void {
    this.#due = this.#due === undefined ? ids : [...new Set([...this.#due, ...ids])];
    this.#dueEventAtMs = eventAtMs;
  }

  #readUnlessReading(): void {
    if (!this.#isReading) this.#readDue().catch((error: unknown) => this.#retryAfter(error));
  }

  /**
   * Rejects with the error of a read, unless a wake during that read asks for another one. Ids that were not read stay
   * due.
   */
  async #readDue(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#due !== undefined && !this.#isOver) {
        const [ids, eventAtMs] = [this.#due, this.#dueEventAtMs];
        this.#due = this.#dueEventAtMs = undefined;
        try {
          await this.#observer.read(ids, eventAtMs);
        } catch (error) {
          const wasWoken = this.#due !== undefined;
          this.#readLater(ids, eventAtMs);
          if (!wasWoken) throw error;
        }
      }
    } finally {
      this.#isReading = false;
    }
  }

  /**
   * Tries a failed read again. The event connection may report a gap while the command connection is still away, and no
   * later event reports the changes of the gap.
   */
  #retryAfter(error: unknown): void {
    const isAway = error instanceof ServiceError && error.code === 'service_unavailable';
    if (!isAway || this.#isOver) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#readUnlessReading(), RETRY_MS + RETRY_JITTER_MS * Math.random());
  }

  get #isOver(): boolean {
    return this.#isClosed || this.#observer.isDone;
  }
}
