/** Makes the events of one kind of server; lives in the firing process. */
export interface EventSource {
  /** Makes ready for so many events in turn, upload after upload. Resolves with the version that each upload has. */
  ready(events: number): Promise<number[]>;
  /** Creates the next event of the upload in `slot`; `done` when that is accepted. The caller notes the time before. */
  fire(slot: number): { version: number; done: Promise<unknown> };
}

const AT_ONCE = 200;

/** Runs `task` for each index below `count`, not all at once. */
export async function forEachSlot(count: number, task: (slot: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - first);
    await Promise.all(Array.from({ length: size }, (_, index) => task(first + index)));
  }
}
