/** The clock of a throttle. `after` returns a function that cancels the call. */
export interface ThrottleClock {
  nowMs(): number;
  after(delayMs: number, call: () => void): () => void;
}

interface ThrottleOptions<Value> {
  /** Minimum time between two values, in ms. Default 100. */
  intervalMs?: number;
  /** Returns true for a value that must not wait for the interval. `previous` is the last value pushed. */
  isUrgent?: (value: Value, previous: Value) => boolean;
  /** The first value and urgent ones are sent after this time, or a newer value in their place. Default 0. */
  urgentDelayMs?: number;
  emit: (value: Value) => void;
  clock?: ThrottleClock;
}

/** Passes on the newest of many values, at most once per interval. */
export interface Throttle<Value> {
  /** Sends the value now or later. If a newer value comes before that, this one is never sent. */
  push(value: Value): void;
  /** Sends a waiting value at once. */
  flush(): void;
  /** Forgets a waiting value. */
  drop(): void;
  /** Flushes and stops the timer. Values pushed later are ignored. */
  close(): void;
}

/** Creates a throttle. The last value is always sent, unless it is dropped. */
export function createThrottle<Value>(options: ThrottleOptions<Value>): Throttle<Value> {
  const { intervalMs = 100, isUrgent = () => false, urgentDelayMs = 0, emit, clock = SYSTEM_CLOCK } = options;
  let previous: { value: Value } | undefined;
  let waiting: { value: Value; dueMs: number; cancel: () => void } | undefined;
  let nextMs = -Infinity;
  let closed = false;

  function send(value: Value): void {
    drop();
    nextMs = clock.nowMs() + intervalMs;
    emit(value);
  }

  function flush(): void {
    if (waiting !== undefined) send(waiting.value);
  }

  function drop(): void {
    waiting?.cancel();
    waiting = undefined;
  }

  function push(value: Value): void {
    if (closed) return;
    const isFirst = previous === undefined;
    const isSoon = isFirst || (previous !== undefined && isUrgent(value, previous.value));
    previous = { value };
    const nowMs = clock.nowMs();
    const dueMs = isSoon ? nowMs + urgentDelayMs : Math.max(nowMs, nextMs);
    if (dueMs <= nowMs) return send(value);
    if (waiting !== undefined && waiting.dueMs <= dueMs) {
      waiting.value = value;
      return;
    }
    drop();
    waiting = { value, dueMs, cancel: clock.after(dueMs - nowMs, flush) };
  }

  return {
    push,
    flush,
    drop,
    close() {
      flush();
      closed = true;
    },
  };
}

const SYSTEM_CLOCK: ThrottleClock = {
  nowMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};
