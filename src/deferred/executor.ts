import { AsyncResource } from 'node:async_hooks';
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
  /** Must not reject. Runs in the async context in which the task was handed in. */
  run(): Promise<void>;
  /** It will never run. */
  discarded(error: DeferredError): void;
}

/** Runs tasks in the order they came, so many at a time and no more. */
export class Executor {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #policy: OverflowPolicy;
  readonly #waiting = new Map<ExecutorTask, () => Promise<void>>();
  readonly #outside = new Map<ExecutorTask, { run: () => Promise<void>; letIn: () => void }>();
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
      void this.#start(() => task.run());
      return Promise.resolve();
    }
    const run = AsyncResource.bind(() => task.run());
    if (this.#waiting.size >= this.#maxWaiting) {
      if (this.#policy === 'caller-waits') return this.#waitOutside(task, run);
      this.#makeRoom();
    }
    this.#waiting.set(task, run);
    return Promise.resolve();
  }

  /** Takes a task out that has not begun. False when it has, or is not known. */
  remove(task: ExecutorTask): boolean {
    const outside = this.#outside.get(task);
    this.#outside.delete(task);
    outside?.letIn();
    const isRemoved = this.#waiting.delete(task) || outside !== undefined;
    this.#fillLine();
    return isRemoved;
  }

  #makeRoom(): void {
    const [oldest] = this.#waiting.keys();
    if (this.#policy === 'reject' || !oldest) throw new DeferredError('executor_full', 'Too many tasks are waiting');
    this.#waiting.delete(oldest);
    oldest.discarded(new DeferredError('task_discarded', 'A later task took the place of this one'));
  }

  #waitOutside(task: ExecutorTask, run: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#outside.set(task, { run, letIn: resolve });
    });
  }

  async #start(run: () => Promise<void>): Promise<void> {
    this.#running += 1;
    try {
      await run();
    } finally {
      this.#running -= 1;
      this.#fillLine();
      this.#startNext();
    }
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (!next || this.#running >= this.#maxRunning) return;
    this.#waiting.delete(next[0]);
    this.#fillLine();
    void this.#start(next[1]);
  }

  #fillLine(): void {
    for (const [task, { run, letIn }] of this.#outside) {
      if (this.#waiting.size >= Math.max(1, this.#maxWaiting)) return;
      this.#outside.delete(task);
      this.#waiting.set(task, run);
      letIn();
    }
  }
}
