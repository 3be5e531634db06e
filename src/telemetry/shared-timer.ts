import { setTimeout as delay } from 'node:timers/promises';

/** Calls are moved to whole steps of this length, so that one wake-up serves all calls of a step. */
const STEP_MS = 3_000;

/** A timer of Node may run about a millisecond early. */
const EARLY_MS = 5;

interface Entry {
  dueMs: number;
  /** Period of the calls. If undefined, there is one call. */
  readonly periodMs: number | undefined;
  readonly call: () => void;
}

const entries = new Set<Entry>();
let timer: NodeJS.Timeout | undefined;
let armedMs = Infinity;

/**
 * Returns milliseconds since the start of this machine. All its processes have the same steps, so Redis is woken once
 * for all of them. Each machine has other steps, so the processes of a fleet do not act at the same moment.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/**
 * Calls a function in periods, like `setInterval`, until the returned function is called. All periods of 3 seconds
 * or more share one timer, which does not keep the process alive. Their calls come up to 3 seconds early, and the first
 * call comes within one period. Shorter periods are exact.
 */
export function every(periodMs: number, call: () => void): () => void {
  if (periodMs >= STEP_MS) return add({ dueMs: nextStepMs(periodMs), periodMs, call });
  const own = setInterval(call, periodMs).unref();
  return () => clearInterval(own);
}

/**
 * Calls a function once, after a pause that is up to 1.5 seconds shorter or longer. Returns the time of the call, by
 * `monotonicMs`. The shared timer does not keep the process alive.
 * @param delayMs 3 seconds or more.
 */
export function after(delayMs: number, call: () => void): { dueMs: number; cancel: () => void } {
  const dueMs = Math.round((monotonicMs() + delayMs) / STEP_MS) * STEP_MS;
  return { dueMs, cancel: add({ dueMs, periodMs: undefined, call }) };
}

/** Resolves after a pause like that of `after`, or when the signal fires. A pause below 3 seconds is exact. */
export async function sharedDelay(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs < STEP_MS) return await delay(delayMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const { cancel } = after(delayMs, end);
    signal.addEventListener('abort', end);
    function end(): void {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
  });
}

function add(entry: Entry): () => void {
  entries.add(entry);
  if (entry.dueMs < armedMs) arm(entry.dueMs);
  return () => {
    entries.delete(entry);
    if (entries.size === 0) arm(Infinity);
  };
}

function arm(dueMs: number): void {
  clearTimeout(timer);
  armedMs = dueMs;
  if (dueMs !== Infinity) timer = setTimeout(run, dueMs - monotonicMs()).unref();
}

function run(): void {
  const latestMs = monotonicMs() + EARLY_MS;
  armedMs = Infinity;
  try {
    for (const entry of entries) {
      if (entry.dueMs > latestMs) continue;
      if (entry.periodMs === undefined) entries.delete(entry);
      else entry.dueMs = nextStepMs(entry.periodMs);
      entry.call();
    }
  } finally {
    arm(Math.min(...[...entries].map(({ dueMs }) => dueMs)));
  }
}

/** Returns the next multiple of the period, rounded down to a step. It is the same for all processes of a machine. */
function nextStepMs(periodMs: number): number {
  const nowMs = monotonicMs() + EARLY_MS;
  let dueMs = 0;
  for (let times = Math.floor(nowMs / periodMs) + 1; dueMs <= nowMs; times += 1)
    dueMs = Math.floor((times * periodMs) / STEP_MS) * STEP_MS;
  return dueMs;
}
