/** Options of the registry. */
export interface RegistryOptions {
  /** Receives the errors of wake callbacks. The other waiters are still woken. */
  onFault: (error: unknown) => void;
  /**
   * Requests the events of `keys` from a source that sends only requested ones. Called at each registration and by
   * `listening`. Resolves when none of these events can be lost any more; undefined if that is true already. Must not
   * reject.
   */
  listen?: ((keys: readonly string[]) => Promise<void> | undefined) | undefined;
}

interface Waiter<Event> {
  /** Undefined once released. */
  wake: ((event: Event | undefined) => void) | undefined;
}

/**
 * Waiters by key: callbacks that an event wakes. A wake only means that something may have changed. It removes no
 * waiter: a waiter stays until it is released. A key with one waiter, the most common case, takes one map entry and no
 * list.
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

  /** Number of waiters. A waiter with several keys counts once. */
  get size(): number {
    return this.#size;
  }

  /** True if `key` has a waiter. */
  has(key: string): boolean {
    return this.#waiters.has(key);
  }

  /**
   * Adds a waiter under all `keys`. They are not copied, so do not change the list. The returned function removes it at
   * once; it may be called twice, or inside a wake.
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
   * Await it between registering under `keys` and reading their state. Returns undefined if there is nothing to wait
   * for.
   */
  listening(keys: readonly string[]): Promise<void> | undefined {
    return this.#listen?.(keys);
  }

  /** Wakes all waiters of `key`. A waiter that registers during the wake is not woken. */
  wake(key: string, event: Event | undefined): void {
    const found = this.#waiters.get(key);
    if (!found) return;
    if (!(found instanceof Set)) {
      this.#call(found, event);
      return;
    }
    for (const waiter of Array.from(found)) this.#call(waiter, event);
  }

  /** Wakes every waiter once, without an event. Call it when events may have been lost. */
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
      // The function is undefined if an earlier callback of this wake has released the waiter.
      waiter.wake?.(event);
    } catch (error) {
      this.#onFault(error);
    }
  }
}
