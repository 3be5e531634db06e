/** Longest work without a pause. Longer work would delay typing and scrolling on a slow device. */
const SLICE_MS = 8;

/** The clock and the pause between two slices. */
interface SliceParts {
  readonly nowMs: () => number;
  /** Lets the browser draw and handle events. */
  readonly pause: () => Promise<void>;
}

const BROWSER: SliceParts = {
  nowMs: () => performance.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
};

/** Calls `act` with each item in order, with a pause every 8 ms. The first calls are made before it returns. */
export async function inSlices<T>(
  items: Iterable<T>,
  act: (item: T) => void,
  { nowMs, pause }: SliceParts = BROWSER,
): Promise<void> {
  let untilMs = nowMs() + SLICE_MS;
  for (const item of items) {
    if (nowMs() > untilMs) {
      await pause();
      untilMs = nowMs() + SLICE_MS;
    }
    act(item);
  }
}
