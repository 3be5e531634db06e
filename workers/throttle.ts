/** Where a throttle takes its time from; `after` returns what cancels the call. */
export interface ThrottleClock {
  nowMs(): number;
  after(delayMs: number, call: () => void): () => void;
}

/** How often, what is urgent, and where it goes. */
export interface ThrottleOptions<Value> {
  /** The least time between two values, in ms. Default 100. */
  intervalMs?: number;
  /** True for a value that goes out at once, whatever went before. `previous` is the last one pushed. */
  isUrgent?: (value: Value, previous: Value) => boolean;
  emit: (value: Value) => void;
  clock?: ThrottleClock;
}

/** Passes on the newest of many values, now and then. */
export interface Throttle<Value> {
  /** Goes out at once, later, or never where a newer one comes first. */
  push(value: Value): void;
  /** Sends at once what is still waiting. */
  flush(): void;
  /** Flushes; then no timer is left, and what is pushed is ignored. */
  close(): void;
}

/** The first value goes out at once, and the last one always does. */
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
