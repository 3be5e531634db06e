import { DeferredError } from './deferred-error.ts';

/**
 * What happens to a task when the executor is full: it is rejected (`reject`), it replaces the task that has waited
 * longest (`discard-oldest`), or it waits outside the queue (`caller-waits`).
 */
export type OverflowPolicy = 'reject' | 'discard-oldest' | 'caller-waits';

/** The bounds of an executor, and what happens when they are reached. */
export interface ExecutorOptions {
  /** Maximum number of running tasks. Default: 16. */
  maxRunning?: number;
  /** Maximum number of queued tasks. Default: 5000. */
  maxWaiting?: number;
  /** Default: `reject`. */
  policy?: OverflowPolicy;
}

/** A task. Exactly one of `run`, `discarded` and its removal ends it. */
export interface ExecutorTask {
  /** Runs the task. Must not reject. */
  run(): Promise<void>;
  /** Called instead of `run` if the task will never run. */
  discarded(error: DeferredError): void;
}

/** Runs tasks in order, a limited number at the same time. */
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

  /** Number of running tasks. */
  get running(): number {
    return this.#running;
  }

  /** Number of tasks that have not started, including those outside the queue. */
  get waiting(): number {
    return this.#waiting.size + this.#outside.size;
  }

  /**
   * Accepts a task. With the policy `caller-waits` the promise resolves when the task gets a place in the queue or is
   * removed. Throws `executor_full` with the policy `reject`, or if there is no task to discard.
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

  /** Removes a task that has not started. Returns false if it has, or is unknown. */
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
