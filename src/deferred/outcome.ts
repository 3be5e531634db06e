/** What a deferred result was set to. An error need not be an `Error`. */
export type Outcome<T = unknown> =
  { readonly kind: 'value'; readonly value: T } | { readonly kind: 'error'; readonly error: unknown };

/**
 * How a held response came to its end. The first two were set by whoever resolves it, an error also
 * by a hook that threw; the others name what cut the waiting short, whatever was answered then.
 */
export type Ending = 'value' | 'error' | 'timeout' | 'disconnect' | 'shutdown';

/** The outcome of a task that returned `value`. */
export function valueOutcome<T>(value: T): Outcome<T> {
  return { kind: 'value', value };
}

/** The outcome of a task that threw `error`. */
export function errorOutcome(error: unknown): Outcome<never> {
  return { kind: 'error', error };
}
