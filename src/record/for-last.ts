/**
 * Returns a version of `compute` that remembers its last result. All waiters of an upload get the same event object, so
 * the work for it is done once.
 */
export function forLast<A extends object, R>(compute: (argument: A) => R): (argument: A) => R {
  let last: { argument: A; result: R } | undefined;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: compute(argument) };
    return last.result;
  };
}
