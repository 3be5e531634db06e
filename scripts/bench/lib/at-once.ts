/** Runs `task` for each index below `count`, with `atOnce` tasks running at any time. */
export async function eachAtOnce(
  count: number,
  atOnce: number,
  task: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
}
