/** No callback, one, or several. Most results have at most one, so a list would waste memory. */
export type Callbacks<A extends unknown[]> = undefined | Callback<A> | Callback<A>[];

/** A callback. A promise that it returns is not awaited; its rejection is reported like a throw. */
export type Callback<A extends unknown[]> = (...args: A) => unknown;

/** Adds a callback. Use the returned value from now on. */
export function withCallback<A extends unknown[]>(callbacks: Callbacks<A>, added: Callback<A>): Callbacks<A> {
  if (!callbacks) return added;
  return typeof callbacks === 'function' ? [callbacks, added] : [...callbacks, added];
}

/**
 * Calls all callbacks in the order in which they were added. If one throws, the error is reported and the others still
 * run.
 */
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

/** True if the value can be awaited. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
