/** The clock of a throttle. `after` returns a function that cancels the call. */
export interface ThrottleClock {
  nowMs(): number;
  after(delayMs: number, call: () => void): () => void;
}

/** Options of a throttle. */
export interface ThrottleOptions<Value> {
  /** Minimum time between two values, in ms. Default 100. */
  intervalMs?: number;
  /** Returns true for a value that must be sent at once. `previous` is the last value pushed. */
  isUrgent?: (value: Value, previous: Value) => boolean;
  emit: (value: Value) => void;
  clock?: ThrottleClock;
}

/** Passes on the newest of many values, at most once per interval. */
export interface Throttle<Value> {
  /** Sends the value now or later. If a newer value comes first, this one is never sent. */
  push(value: Value): void;
  /** Sends a waiting value at once. */
  flush(): void;
  /** Flushes and stops the timer. Values pushed later are ignored. */
  close(): void;
}

/** Creates a throttle. The first value is sent at once, and the last value is always sent. */
export function createThrottle<Value>(options: ThrottleOptions<Value>): Throttle<Value> {
  const { intervalMs = 100, isUrgent = () => false, emit, clock = SYSTEM_CLOCK } = options;
  let previous: { value: Value } | undefined;
  let waiting: { value: Value; cancel: () => void } | undefined;
  let nextMs = -Infinity;
  let closed = false;

  function send(value: Value): void {
    waiting?.cancel();
    waiting = undefined;
    nextMs = clock.nowMs() + intervalMs;
    emit(value);
  }

  function flush(): void {
    if (waiting !== undefined) {
      send(waiting.value);
    }
  }

  function push(value: Value): void {
    if (closed) {
      return;
    }
    const urgent = previous !== undefined && isUrgent(value, previous.value);
    previous = { value };
    const delayMs = nextMs - clock.nowMs();
    if (urgent || delayMs <= 0) {
      send(value);
    } else if (waiting === undefined) {
      waiting = { value, cancel: clock.after(delayMs, flush) };
    } else {
      waiting.value = value;
    }
  }

  return {
    push,
    flush,
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
