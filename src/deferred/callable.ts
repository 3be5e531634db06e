import { DeferredError } from './deferred-error.ts';
import { DeferredResult, type DeferredResultOptions } from './deferred-result.ts';
import { discard } from './discard.ts';
import type { Executor, ExecutorTask } from './executor.ts';

/** Work for an answer. `signal` fires, once, when nobody waits for it any more; the reason is a `DeferredError`. */
export type Callable<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** Where a task runs, and what is answered when it takes too long. */
export interface DeferredCallOptions<T> extends DeferredResultOptions<T> {
  /** Where the task runs. */
  executor: Executor;
}

/**
 * A deferred result set by what `task` returns or throws (Spring's `Callable` and `WebAsyncTask`). It is set
 * at once, to `executor_full`, where the executor refuses the task, and to `task_discarded` where a later one
 * takes its place. Timeout and disconnect abort the task, or take it out of the line. A task that
 * finishes all the same still wins while the timeout value is in the making; what it throws by then is dropped.
 */
export function deferredCall<T>(task: Callable<T>, options: DeferredCallOptions<T>): DeferredResult<T> {
  const result = new DeferredResult<T>(options);
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
  // Under `caller-waits` the caller is the client, whose response is held meanwhile.
  call.begin();
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
