/** Limits how many tasks run at the same time. Waiting tasks start in order. */
export class Semaphore {
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  /** Resolves with a release function, or with undefined if the signal aborts first. A second release does nothing. */
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
