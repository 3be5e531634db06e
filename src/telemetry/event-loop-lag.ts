import { createHistogram, performance, type EventLoopUtilization } from 'node:perf_hooks';
import { after, monotonicMs } from './shared-timer.ts';

/** Period of the measurement in an idle process, so that it is seldom woken. */
const IDLE_PERIOD_MS = 3000;
const BUSY_PERIOD_MS = 20;

/** A process is busy if it works for at least this share of the time. */
const BUSY_SHARE = 0.1;

/** A process still counts as busy for this time afterwards. */
const BUSY_FOR_MS = 2000;

const NANOSECONDS = 1e9;

interface LagClock {
  nowMs(): number;
  /** Returns the share of time since the last call in which the event loop was working, 0 to 1. */
  workingShare(): number;
  /** Returns the time at which the call is due. */
  after(delayMs: number, call: () => void): number;
}

/** How late timers were since the last reading, in seconds. */
interface LagReading {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/**
 * Measures how late timers run, until the process exits. `monitorEventLoopDelay` of Node, which prom-client uses, wakes
 * an idle process 100 times a second. This wakes it once in 3 seconds, and 50 times a second only while it has work
 * anyway.
 */
export class EventLoopLag {
  readonly #histogram = createHistogram();
  readonly #clock: LagClock;
  #busyUntilMs = -Infinity;

  constructor(clock: LagClock = systemClock()) {
    this.#clock = clock;
    this.#measureIn(IDLE_PERIOD_MS);
  }

  /** Returns the lag since the last call. */
  take(): LagReading {
    const histogram = this.#histogram;
    const isEmpty = histogram.count === 0;
    const seconds = (nanoseconds: number): number => (isEmpty ? 0 : nanoseconds / NANOSECONDS);
    const reading = {
      min: seconds(histogram.min),
      max: seconds(histogram.max),
      mean: seconds(histogram.mean),
      stddev: seconds(histogram.stddev),
      p50: seconds(histogram.percentile(50)),
      p90: seconds(histogram.percentile(90)),
      p99: seconds(histogram.percentile(99)),
    };
    histogram.reset();
    return reading;
  }

  #measureIn(periodMs: number): void {
    const dueMs = this.#clock.after(periodMs, () => {
      const nowMs = this.#clock.nowMs();
      // A histogram takes whole numbers from 1 on.
      this.#histogram.record(Math.max(1, Math.round((nowMs - dueMs) * 1e6)));
      if (this.#clock.workingShare() >= BUSY_SHARE) this.#busyUntilMs = nowMs + BUSY_FOR_MS;
      this.#measureIn(nowMs < this.#busyUntilMs ? BUSY_PERIOD_MS : IDLE_PERIOD_MS);
    });
  }
}

function systemClock(): LagClock {
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  return {
    nowMs: monotonicMs,
    workingShare() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    after(delayMs, call) {
      if (delayMs >= IDLE_PERIOD_MS) return after(delayMs, call).dueMs;
      setTimeout(call, delayMs).unref();
      return monotonicMs() + delayMs;
    },
  };
}
