import { isPromiseLike } from './callbacks.ts';
import type { DeferredError } from './deferred-error.ts';
import type { ReportFault } from './interceptor-chain.ts';
import type { DeferredInterceptor, Held } from './interceptor.ts';

/**
 * The first interceptor of every chain: runs the callbacks of the deferred result and sets its timeout value. One
 * instance serves all results.
 */
export function resultCallbacksInterceptor(reportFault: ReportFault): DeferredInterceptor {
  const reportOnTimeout = (error: unknown): void => {
    reportFault(error, 'onTimeout');
  };
  const reportOnError = (error: unknown): void => {
    reportFault(error, 'onError');
  };
  const reportOnCompletion = (error: unknown): void => {
    reportFault(error, 'onCompletion');
  };
  return {
    handleTimeout(held) {
      held.result.runTimeoutCallbacks(reportOnTimeout);
      if (!held.result.isSetOrExpired()) applyTimeoutResult(held);
    },
    handleError(held, error) {
      held.result.runErrorCallbacks(error, reportOnError);
    },
    afterCompletion(held) {
      held.result.complete(reportOnCompletion);
    },
  };
}

/** The last interceptor of every chain: sets the timeout error if there is no result. */
export function defaultTimeoutInterceptor(makeError: () => DeferredError): DeferredInterceptor {
  return {
    handleTimeout(held) {
      held.result.setErrorResult(makeError());
    },
  };
}

function applyTimeoutResult(held: Held): void {
  const { timeoutResult } = held.result;
  if (timeoutResult === undefined) return;
  const value: unknown = typeof timeoutResult === 'function' ? timeoutResult() : timeoutResult;
  if (isPromiseLike(value)) held.awaitTimeoutValue(value);
  else held.result.setResult(value);
}
