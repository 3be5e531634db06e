/** Maximum size of a small file. A larger one gets a record before it is complete. */
export const SMALL_BYTES = 256 * 1024;

/** A file that is not complete after this time gets a record, so that others can follow it. */
const WHOLE_WITHIN_MS = 50;

const TIME_IS_UP = Symbol('time is up');

/** The first chunks of a file. */
interface ReadStart {
  readonly chunks: readonly Buffer[];
  /** True if `chunks` is the whole file. */
  readonly isWhole: boolean;
  /** Iterates over all chunks, including `chunks`. Its `return` closes the source. */
  readonly all: AsyncIterableIterator<Buffer, undefined>;
}

/**
 * Reads a file to its end if it is small and arrives at once. Otherwise it stops after `mostBytes` or
 * `WHOLE_WITHIN_MS`. An error of the source is reported by `all`.
 */
export async function readStart(source: AsyncIterator<Buffer, undefined>, mostBytes = SMALL_BYTES): Promise<ReadStart> {
  const chunks: Buffer[] = [];
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<typeof TIME_IS_UP>((resolve) => {
    timer = setTimeout(resolve, WHOLE_WITHIN_MS, TIME_IS_UP);
  });
  try {
    let bytes = 0;
    for (;;) {
      const pending = source.next();
      const next = await Promise.race([pending, timeIsUp]).catch((): typeof TIME_IS_UP => TIME_IS_UP);
      if (next === TIME_IS_UP) return { chunks, isWhole: false, all: chain(chunks, source, pending) };
      if (next.done === true) return { chunks, isWhole: true, all: chain(chunks, source) };
      chunks.push(next.value);
      bytes += next.value.length;
      if (bytes > mostBytes) return { chunks, isWhole: false, all: chain(chunks, source) };
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the chunks, then the pending one, then the rest of the source. */
function chain(
  chunks: readonly Buffer[],
  source: AsyncIterator<Buffer, undefined>,
  pending?: Promise<IteratorResult<Buffer, undefined>>,
): AsyncIterableIterator<Buffer, undefined> {
  // The error of the pending chunk is reported to the reader that takes it.
  pending?.catch(() => undefined);
  let read = 0;
  let waiting = pending;
  const all: AsyncIterableIterator<Buffer, undefined> = {
    next() {
      const value = chunks[read];
      if (value !== undefined) {
        read += 1;
        return Promise.resolve({ done: false, value });
      }
      const first = waiting;
      waiting = undefined;
      return first ?? source.next();
    },
    return: () => source.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => all,
  };
  return all;
}

/** Yielded if the next value has not arrived within `WHOLE_WITHIN_MS`. */
export const PAUSE = Symbol('pause');

/** Yields all values. While `isWaiting` returns true, it also yields `PAUSE`, once before a value that is late. */
export async function* withPauses<T>(
  values: AsyncIterable<T>,
  isWaiting: () => boolean,
): AsyncGenerator<T | typeof PAUSE> {
  const source = values[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = source.next();
      if (isWaiting() && (await isLate(next))) yield PAUSE;
      const { done, value } = await next;
      if (done === true) return;
      yield value;
    }
  } finally {
    await source.return?.();
  }
}

async function isLate(next: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, WHOLE_WITHIN_MS, true);
  });
  const ended = next.then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([ended, timeIsUp]);
  } finally {
    clearTimeout(timer);
  }
}
