/** Number of uploads that the janitor handles at the same time. It hides the round trips without crowding Redis. */
const GROUP_SIZE = 16;

/**
 * Calls `work` for every id, in groups of 16 at the same time, until the signal fires. Rejects if a call does, after
 * all calls of its group have ended.
 */
export async function inGroups<T>(
  ids: readonly string[],
  signal: AbortSignal,
  work: (id: string) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < ids.length && !signal.aborted; start += GROUP_SIZE) {
    const group = await Promise.allSettled(ids.slice(start, start + GROUP_SIZE).map(work));
    for (const each of group) {
      if (each.status === 'rejected') throw each.reason;
      results.push(each.value);
    }
  }
  return results;
}
