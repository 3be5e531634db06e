/** Number of objects that are copied at the same time. A bucket needs some milliseconds for each. */
export const COPIES_AT_ONCE = 16;

/**
 * Runs `work` for each item, at most `most` at a time. Returns true if all have returned true. After the first false or
 * error no further item is begun. Resolves or rejects when no work runs any more, with the first error if there is one.
 */
export async function allAtOnce<Item>(
  items: Iterable<Item>,
  most: number,
  work: (item: Item) => Promise<boolean>,
): Promise<boolean> {
  const waiting = items[Symbol.iterator]();
  let isPossible = true;
  let failure: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (isPossible && failure === undefined) {
      const next = waiting.next();
      if (next.done === true) return;
      try {
        if (!(await work(next.value))) isPossible = false;
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
  if (failure !== undefined) throw failure.error;
  return isPossible;
}
