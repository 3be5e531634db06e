import { DeferredError } from './deferred-error.ts';

/**
 * What becomes of a task when everything is full: it is refused (`reject`), it takes the place of the one that has
 * waited longest (`discard-oldest`), or it waits outside until there is a place (`caller-waits`).
 */
export type OverflowPolicy = 'reject' | 'discard-oldest' | 'caller-waits';

/** The bounds of an executor and what happens at them. */
export interface ExecutorOptions {
  /** Tasks at work at the same time. Default 16. */
  maxRunning?: number;
  /** Tasks in line behind them. Default 5000. */
  maxWaiting?: number;
  /** Default `reject`. */
  policy?: OverflowPolicy;
}

/** Something to be run. Ends in exactly one of `run`, `discarded` and its removal. */
export interface ExecutorTask {
  /** Must not reject. */
  run(): Promise<void>;
  /** It will never run. */
  discarded(error: DeferredError): void;
}

/** Runs tasks in the order they came, so many at a time and no more. */
export class Executor {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #policy: OverflowPolicy;
  readonly #waiting = new Set<ExecutorTask>();
  readonly #outside = new Map<ExecutorTask, () => void>();
  #running = 0;

  constructor(options: ExecutorOptions = {}) {
    this.#maxRunning = options.maxRunning ?? 16;
    this.#maxWaiting = options.maxWaiting ?? 5000;
    this.#policy = options.policy ?? 'reject';
  }

  /** Tasks at work. */
  get running(): number {
    return this.#running;
  }

  /** Tasks that have not begun, those outside the line included. */
  get waiting(): number {
    return this.#waiting.size + this.#outside.size;
  }

  /**
   * Takes a task in. Under `caller-waits` the promise resolves when it has its place in the line, or was
   * removed; under the others at once. Throws `executor_full` under `reject`, and where there is no line
   * to discard from.
   */
  execute(task: ExecutorTask): Promise<void> {
    if (this.#running < this.#maxRunning) {
      void this.#start(task);
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      if (this.#policy === 'caller-waits') return this.#waitOutside(task);
      this.#evictOldest();
    }
    this.#waiting.add(task);
    return Promise.resolve();
  }

  /** Takes a task out that has not begun. False when it has, or is not known. */
  remove(task: ExecutorTask): boolean {
    const letIn = this.#outside.get(task);
    this.#outside.delete(task);
    letIn?.();
    const isRemoved = this.#waiting.delete(task) || letIn !== undefined;
    this.#fillLine();
    return isRemoved;
  }

  #evictOldest(): void {
    const [oldest] = this.#waiting;
    if (this.#policy === 'reject' || !oldest) throw new DeferredError('executor_full', 'Too many tasks are waiting');
    this.#waiting.delete(oldest);
    oldest.discarded(new DeferredError('task_discarded', 'A later task took the place of this one'));
  }

  #waitOutside(task: ExecutorTask): Promise<void> {
    return new Promise((resolve) => {
      this.#outside.set(task, resolve);
    });
  }

  async #start(task: ExecutorTask): Promise<void> {
    this.#running += 1;
    try {
      await task.run();
    } finally {
      this.#running -= 1;
      this.#fillLine();
      this.#startNext();
    }
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (!next || this.#running >= this.#maxRunning) return;
    this.#waiting.delete(next);
    this.#fillLine();
    void this.#start(next);
  }

  #fillLine(): void {
    for (const [task, letIn] of this.#outside) {
      if (this.#waiting.size >= Math.max(1, this.#maxWaiting)) return;
      this.#outside.delete(task);
      this.#waiting.add(task);
      letIn();
    }
  }
}
