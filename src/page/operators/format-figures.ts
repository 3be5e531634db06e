const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Returns for example `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-GB');
}

/** Returns two or three significant digits: `0.42 ms`, `7.4 ms`, `120 ms`. */
export function formatLatency(latencyMs: number): string {
  const digits = latencyMs < 1 ? 2 : latencyMs < 10 ? 1 : 0;
  return `${latencyMs.toFixed(digits)} ms`;
}

/** Returns the two largest units: `8 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function formatAge(ageMs: number): string {
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s`;
  if (ageMs < HOUR_MS) return pair(ageMs, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ageMs < DAY_MS) return pair(ageMs, HOUR_MS, 'h', MINUTE_MS, 'min');
  return pair(ageMs, DAY_MS, 'd', HOUR_MS, 'h');
}

function pair(ageMs: number, wholeMs: number, whole: string, restMs: number, rest: string): string {
  const count = Math.floor((ageMs % wholeMs) / restMs);
  return `${Math.floor(ageMs / wholeMs)} ${whole}${count === 0 ? '' : ` ${count} ${rest}`}`;
}
