/** No callback, one, or several. Most results have none or one, and then a list would be waste. */
export type Callbacks<A extends unknown[]> = undefined | Callback<A> | Callback<A>[];

/** A promise it returns is not waited for; its rejection is reported like a throw. */
export type Callback<A extends unknown[]> = (...args: A) => unknown;

/** `callbacks` and one more; use the returned value from now on. */
export function withCallback<A extends unknown[]>(callbacks: Callbacks<A>, added: Callback<A>): Callbacks<A> {
  if (!callbacks) return added;
  return typeof callbacks === 'function' ? [callbacks, added] : [...callbacks, added];
}

/** Calls all, in the order they were added. One that fails is reported and stops no other. */
export function runCallbacks<A extends unknown[]>(
  callbacks: Callbacks<A>,
  report: (error: unknown) => void,
  ...args: A
): void {
  if (!callbacks) return;
  for (const callback of typeof callbacks === 'function' ? [callbacks] : callbacks) {
    try {
      const returned = callback(...args);
      if (isPromiseLike(returned)) returned.then(undefined, report);
    } catch (error) {
      report(error);
    }
  }
}

/** True for anything that can be awaited. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
