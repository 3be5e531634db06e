/** Who hears of faults. */
export interface RegistryOptions {
  /** Told of a wake callback that threw; the other waiters are woken all the same. */
  onFault: (error: unknown) => void;
  /**
   * For a source that tells only of what it was asked for: asks for `keys`, at each registration and by `listening`.
   * Resolves when none of their events can be missed any more, undefined where that is so already; must not reject.
   */
  listen?: ((keys: readonly string[]) => Promise<void> | undefined) | undefined;
}

interface Waiter<Event> {
  /** Undefined once released. */
  wake: ((event: Event | undefined) => void) | undefined;
}

/**
 * Who waits for what: callbacks under keys, woken with an event. A wake says only that something may
 * have changed, and wakes nobody out of the registry: a waiter stays until it is released.
 * A key with a single waiter, by far the commonest, costs one map entry and no list.
 */
export class Registry<Event> {
  readonly #waiters = new Map<string, Waiter<Event> | Set<Waiter<Event>>>();
  readonly #onFault: (error: unknown) => void;
  readonly #listen: RegistryOptions['listen'];
  #size = 0;

  constructor(options: RegistryOptions) {
    this.#onFault = options.onFault;
    this.#listen = options.listen;
  }

  /** Waiters, each counted once however many keys it has. */
  get size(): number {
    return this.#size;
  }

  /** True while somebody waits for `key`. */
  has(key: string): boolean {
    return this.#waiters.has(key);
  }

  /**
   * Adds a waiter under all `keys` (not copied: leave the list as it is). The returned function takes it
   * out again, at once and for good; calling it twice, or from inside a wake, is fine.
   */
  register(keys: readonly string[], wake: (event: Event | undefined) => void): () => void {
    const waiter: Waiter<Event> = { wake };
    for (const key of keys) this.#add(key, waiter);
    this.#size += 1;
    void this.#listen?.(keys);
    return () => {
      if (!waiter.wake) return;
      waiter.wake = undefined;
      this.#size -= 1;
      for (const key of keys) this.#remove(key, waiter);
    };
  }

  /**
   * To be awaited between the registration under `keys` and the look at what they stand for. Undefined where
   * there is nothing to wait for.
   */
  listening(keys: readonly string[]): Promise<void> | undefined {
    return this.#listen?.(keys);
  }

  /** Wakes all that wait for `key` now; one that registers during the wake has to wait for the next. */
  wake(key: string, event: Event | undefined): void {
    const found = this.#waiters.get(key);
    if (!found) return;
    if (!(found instanceof Set)) {
      this.#call(found, event);
      return;
    }
    for (const waiter of Array.from(found)) this.#call(waiter, event);
  }

  /** Wakes every waiter once, without an event: after a gap in which events may have been lost. */
  wakeAll(): void {
    const all = new Set<Waiter<Event>>();
    for (const found of this.#waiters.values()) {
      if (!(found instanceof Set)) all.add(found);
      else for (const waiter of found) all.add(waiter);
    }
    for (const waiter of all) this.#call(waiter, undefined);
  }

  #add(key: string, waiter: Waiter<Event>): void {
    const found = this.#waiters.get(key);
    if (!found) this.#waiters.set(key, waiter);
    else if (found instanceof Set) found.add(waiter);
    else if (found !== waiter) this.#waiters.set(key, new Set([found, waiter]));
  }

  #remove(key: string, waiter: Waiter<Event>): void {
    const found = this.#waiters.get(key);
    if (found === waiter) this.#waiters.delete(key);
    if (!(found instanceof Set)) return;
    found.delete(waiter);
    if (found.size === 0) this.#waiters.delete(key);
  }

  #call(waiter: Waiter<Event>, event: Event | undefined): void {
    try {
      // Undefined where an earlier callback of this wake has released it.
      waiter.wake?.(event);
    } catch (error) {
      this.#onFault(error);
    }
  }
}
