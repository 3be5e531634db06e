import { systemClock, type Clock } from './clock.ts';

/** What can be put under a deadline. */
export interface Expirable {
  /** Written and read by the store alone: the bucket it lies in, undefined while in none. */
  deadlineBucket: number | undefined;
  /** Called once, when the time is up, after it was taken out of the store. */
  expire(): void;
}

/** The clock that deadlines go by, and who hears of faults. */
export interface DeadlinesOptions {
  clock?: Clock;
  /** Width of a bucket, which is also how late a deadline may be on an idle loop. Default 16. */
  bucketMs?: number;
  /** Told of an `expire()` that threw; the others of its bucket still expire. */
  onFault: (error: unknown) => void;
}

interface Bucket<E> {
  readonly entries: Set<E>;
  readonly clearTimer: () => void;
}

/** Bucket of those that never expire. They are kept here as well, so that the store is the one list of all. */
const NEVER = -1;
/** A longer Node timer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Deadlines of many waiters on few timers: one per bucket, none per waiter, none while empty.
 * A bucket fires at its end, so a deadline is never early and at most one bucket late.
 * Adding and removing cost the same however many there are.
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

  /** How many are waiting, those without an end included. */
  get size(): number {
    return this.#size;
  }

  /** Timers running now; 0 while empty. */
  get timers(): number {
    return this.#buckets.size - (this.#buckets.has(NEVER) ? 1 : 0);
  }

  /** Puts `entry` under a deadline, in place of any it had. `Infinity` never ends. */
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

  /** Takes `entry` out before its time. False when it was not in. */
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

  /** All that are waiting, as a list of its own: it may be walked while entries come and go. */
  entries(): E[] {
    return [...this.#buckets.values()].flatMap((bucket) => [...bucket.entries]);
  }

  #startTimer(index: number): () => void {
    if (index === NEVER) return () => {};
    // Node counts whole milliseconds and may fire a fraction early; #fire looks at the clock again.
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
