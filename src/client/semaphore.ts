/** A bounded number of places, given out in the order in which they were asked for. */
export class Semaphore {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves with the release, which may be called more than once; undefined where the signal aborted first. */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#free > 0) return Promise.resolve(this.#occupy());
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiting.delete(enter);
        signal.removeEventListener('abort', giveUp);
      };
      const enter = (): void => {
        leave();
        resolve(this.#occupy());
      };
      const giveUp = (): void => {
        leave();
        resolve(undefined);
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', giveUp);
    });
  }

  #occupy(): () => void {
    this.#free -= 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += 1;
      const [next] = this.#waiting;
      next?.();
    };
  }
}
