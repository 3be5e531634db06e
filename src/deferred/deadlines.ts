import { systemClock, type Clock } from './clock.ts';

/** An entry with a deadline. */
export interface Expirable {
  /** Set only by the store: the bucket of the entry; undefined if the entry is not in the store. */
  deadlineBucket: number | undefined;
  /** Called once when the time is up, after the entry was removed from the store. */
  expire(): void;
}

/** Options of the store. */
export interface DeadlinesOptions {
  clock?: Clock;
  /** Width of a bucket in ms. On an idle event loop a deadline is at most this late. Default: 16. */
  bucketMs?: number;
  /** Receives the errors that `expire()` throws. The other entries of the bucket still expire. */
  onFault: (error: unknown) => void;
}

interface Bucket<E> {
  readonly entries: Set<E>;
  readonly clearTimer: () => void;
}

/** The bucket of entries that never expire. They are in the store too, so that it lists all entries. */
const NEVER = -1;
/** Longest delay of a timer. Node fires a timer with a longer one at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Deadlines of many waiters with few timers: one for each bucket that has entries. A bucket fires at its end, so a
 * deadline is never early and at most one bucket late. Adding and removing take constant time.
 */
export class Deadlines<E extends Expirable = Expirable> {
  readonly #buckets = new Map<number, Bucket<E>>();
  readonly #clock: Clock;
  readonly #bucketMs: number;
  readonly #onFault: (error: unknown) => void;
  #size = 0;

  constructor(options: DeadlinesOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#bucketMs = options.bucketMs ?? 16;
    this.#onFault = options.onFault;
  }

  /** Number of entries, including entries that never expire. */
  get size(): number {
    return this.#size;
  }

  /** Number of running timers; 0 if empty. */
  get timers(): number {
    return this.#buckets.size - (this.#buckets.has(NEVER) ? 1 : 0);
  }

  /** Sets the deadline of `entry` and replaces an earlier one. `Infinity` never expires. */
  add(entry: E, delayMs: number): void {
    this.remove(entry);
    const index = delayMs === Infinity ? NEVER : Math.ceil((this.#clock.now() + delayMs) / this.#bucketMs);
    let bucket = this.#buckets.get(index);
    if (!bucket) {
      bucket = { entries: new Set(), clearTimer: this.#startTimer(index) };
      this.#buckets.set(index, bucket);
    }
    bucket.entries.add(entry);
    entry.deadlineBucket = index;
    this.#size += 1;
  }

  /** Removes `entry` before its time. Returns false if it was not in the store. */
  remove(entry: E): boolean {
    const index = entry.deadlineBucket;
    if (index === undefined) return false;
    entry.deadlineBucket = undefined;
    const bucket = this.#buckets.get(index);
    if (!bucket?.entries.delete(entry)) return false;
    this.#size -= 1;
    if (bucket.entries.size === 0) this.#drop(index, bucket);
    return true;
  }

  /** Returns a copy of all entries, so that entries may be added and removed while it is read. */
  entries(): E[] {
    return [...this.#buckets.values()].flatMap((bucket) => [...bucket.entries]);
  }

  #startTimer(index: number): () => void {
    if (index === NEVER) return () => {};
    // Node counts whole milliseconds and may fire a fraction early, so #fire compares the clock again.
    const delayMs = Math.min(Math.max(1, Math.ceil(index * this.#bucketMs - this.#clock.now())), MAX_TIMER_MS);
    return this.#clock.setTimer(() => this.#fire(index), delayMs);
  }

  #fire(index: number): void {
    const bucket = this.#buckets.get(index);
    if (!bucket) return;
    if (this.#clock.now() < index * this.#bucketMs) {
      this.#buckets.set(index, { entries: bucket.entries, clearTimer: this.#startTimer(index) });
      return;
    }
    for (const entry of bucket.entries) {
      this.remove(entry);
      this.#expire(entry);
    }
  }

  #expire(entry: E): void {
    try {
      entry.expire();
    } catch (error) {
      this.#onFault(error);
    }
  }

  #drop(index: number, bucket: Bucket<E>): void {
    bucket.clearTimer();
    this.#buckets.delete(index);
  }
}
