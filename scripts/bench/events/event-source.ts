/** Creates the events for one kind of server, in the firing process. */
export interface EventSource {
  /** Prepares this number of events, one upload after the other. Resolves with the version of each upload. */
  ready(events: number): Promise<number[]>;
  /**
   * Creates the next event of the upload in `slot`. `done` resolves when it is accepted. The caller notes the time
   * before the call.
   */
  fire(slot: number): { version: number; done: Promise<unknown> };
}

const AT_ONCE = 200;

/** Runs `task` for each index below `count`, with a limited number at the same time. */
export async function forEachSlot(count: number, task: (slot: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - first);
    await Promise.all(Array.from({ length: size }, (_, index) => task(first + index)));
  }
}
