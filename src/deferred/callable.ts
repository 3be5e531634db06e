import { DeferredError } from './deferred-error.ts';
import { DeferredResult, type DeferredResultOptions } from './deferred-result.ts';
import { discard } from './discard.ts';
import type { Executor, ExecutorTask } from './executor.ts';

/**
 * A task that returns the answer. `signal` fires once when nobody waits for the answer any more; its reason is a
 * `DeferredError`.
 */
export type Callable<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** The executor of a task, and its timeout. */
export interface DeferredCallOptions<T> extends Omit<DeferredResultOptions<T>, 'start'> {
  /** Runs the task. */
  executor: Executor;
}

/**
 * Returns a deferred result that `task` sets when it returns or throws (Spring's `Callable` and `WebAsyncTask`). The
 * executor gets the task when the response is held, so no work begins for a rejected request. If the executor rejects
 * the task, the result is `executor_full`. If a later task replaces it, the result is `task_discarded`.
 * Timeout and disconnect abort the task, or remove it from the queue. A task that finishes while the timeout value is
 * still computed wins; an error that it throws then is dropped.
 */
export function deferredCall<T>(task: Callable<T>, options: DeferredCallOptions<T>): DeferredResult<T> {
  const result: DeferredResult<T> = new DeferredResult<T>({
    ...options,
    start: () => {
      // With `caller-waits` the caller is the client, whose response is held in the meantime.
      call.begin();
    },
  });
  const call = new Call(task, result, options.executor);
  result.onTimeout(() => {
    call.abort(new DeferredError('deferred_timeout', 'The time for this task is up'));
  });
  result.onError((error) => {
    call.abort(error);
  });
  result.onCompletion(() => {
    call.abort(new DeferredError('task_discarded', 'The response is over'));
  });
  return result;
}

class Call<T> implements ExecutorTask {
  readonly #task: Callable<T>;
  readonly #result: DeferredResult<T>;
  readonly #executor: Executor;
  readonly #controller = new AbortController();
  #isOver = false;

  constructor(task: Callable<T>, result: DeferredResult<T>, executor: Executor) {
    this.#task = task;
    this.#result = result;
    this.#executor = executor;
  }

  begin(): void {
    try {
      void this.#executor.execute(this);
    } catch (error) {
      this.#isOver = true;
      this.#result.setErrorResult(error);
    }
  }

  async run(): Promise<void> {
    try {
      const value = await this.#task(this.#controller.signal);
      this.#isOver = true;
      if (!this.#result.setResult(value)) discard(value);
    } catch (error) {
      this.#isOver = true;
      if (!this.#controller.signal.aborted) this.#result.setErrorResult(error);
    }
  }

  discarded(error: DeferredError): void {
    this.#isOver = true;
    this.#result.setErrorResult(error);
  }

  abort(reason: unknown): void {
    if (this.#isOver || this.#controller.signal.aborted) return;
    this.#executor.remove(this);
    this.#controller.abort(reason);
  }
}
