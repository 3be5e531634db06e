/** The value or error of a deferred result. An error need not be an `Error`. */
export type Outcome<T = unknown> =
  { readonly kind: 'value'; readonly value: T } | { readonly kind: 'error'; readonly error: unknown };

/**
 * How a held response ended. `value` and `error` were set by the code that resolves it, `error` also by a hook that
 * threw. The others name the event that ended the wait, with any answer.
 */
export type Ending = 'value' | 'error' | 'timeout' | 'disconnect' | 'shutdown';

/** Returns the outcome of a task that returned `value`. */
export function valueOutcome<T>(value: T): Outcome<T> {
  return { kind: 'value', value };
}

/** Returns the outcome of a task that threw `error`. */
export function errorOutcome(error: unknown): Outcome<never> {
  return { kind: 'error', error };
}
