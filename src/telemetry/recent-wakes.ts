import type { WakeLatency } from '../wire/documents.ts';

const KEPT = 1000;
const PERIOD_MS = 60_000;

/** The last 1000 wake-up latencies of this process. The metrics contain the whole history. */
export class RecentWakes {
  readonly #latenciesMs = new Float64Array(KEPT);
  readonly #endedAtMs = new Float64Array(KEPT);
  readonly #nowMs: () => number;
  #count = 0;

  /** @param nowMs a monotonic clock. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  add(latencyMs: number): void {
    const index = this.#count % KEPT;
    this.#latenciesMs[index] = latencyMs;
    this.#endedAtMs[index] = this.#nowMs();
    this.#count += 1;
  }

  /** Null if no response was woken in the last minute. */
  latency(): WakeLatency | null {
    const sinceMs = this.#nowMs() - PERIOD_MS;
    const kept = this.#latenciesMs.subarray(0, Math.min(this.#count, KEPT));
    const sorted = kept.filter((_latency, index) => (this.#endedAtMs[index] ?? 0) > sinceMs).sort();
    if (sorted.length === 0) return null;
    return { count: sorted.length, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
  }
}

/** Returns a percentile by the nearest-rank method, rounded to 0.01 ms. */
function quantile(sorted: Float64Array, fraction: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? 0;
  return Math.round(value * 100) / 100;
}
