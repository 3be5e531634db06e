import { Random } from './random.ts';

/** Target, duration and relative frequency of each kind of fault. */
const KINDS = {
  'api-kill': { target: 'api', forMs: [0, 0], weight: 2 },
  'api-stop': { target: 'api', forMs: [0, 0], weight: 1 },
  'api-pause': { target: 'api', forMs: [500, 4000], weight: 1 },
  'api-cut': { target: 'api-link', forMs: [0, 800], weight: 2 },
  'worker-kill': { target: 'worker', forMs: [0, 0], weight: 2 },
  'worker-stop': { target: 'worker', forMs: [0, 0], weight: 1 },
  // A pause that is longer than the lock of jobs, which is 6 s.
  'worker-pause': { target: 'worker', forMs: [7000, 9000], weight: 1 },
  'redis-kill': { target: 'redis', forMs: [0, 1500], weight: 1 },
  'redis-stop': { target: 'redis', forMs: [0, 1500], weight: 1 },
  // Every command of every process waits, and some are answered after their caller gave up.
  'redis-pause': { target: 'redis', forMs: [2000, 6000], weight: 2 },
  'redis-cut': { target: 'redis-link', forMs: [0, 1500], weight: 2 },
  'redis-silence': { target: 'redis-link', forMs: [500, 3000], weight: 1 },
  'storage-away': { target: 'storage', forMs: [1000, 6000], weight: 1 },
  'second-installation': { target: 'storage', forMs: [0, 0], weight: 1 },
} as const satisfies Record<string, { target: FaultTarget; forMs: readonly [number, number]; weight: number }>;

/**
 * A process, the network in front of an API process, the network of a process to Redis, Redis itself, or the storage.
 */
type FaultTarget = 'api' | 'worker' | 'api-link' | 'redis-link' | 'redis' | 'storage';

/**
 * The kinds of faults:
 * - `kill` sends SIGKILL, `stop` SIGTERM, `pause` SIGSTOP and later SIGCONT.
 * - `cut` breaks connections and refuses new ones, `silence` passes nothing on.
 * - `storage-away` makes every access to the storage fail.
 * - `second-installation` starts a worker with another prefix on the same storage. It must exit and change nothing.
 */
export type FaultKind = keyof typeof KINDS;

/** All kinds. */
export const FAULT_KINDS: readonly FaultKind[] = Object.keys(KINDS).filter((name): name is FaultKind => name in KINDS);

/** One fault. */
export interface Fault {
  /** Time since the start of the run. */
  atMs: number;
  kind: FaultKind;
  /** The number of the target among those of its kind, from 0. Links of API processes come before those of workers. */
  index: number;
  /** The duration of the fault. For Redis and the storage: how long they are away. */
  forMs: number;
}

/** The numbers that a schedule depends on. */
interface ScheduleShape {
  seconds: number;
  apis: number;
  workers: number;
  /** Number of faults. Default: one every 1.2 s. */
  faults?: number;
  /** If true, Redis dies more often. */
  powerLoss?: boolean;
}

const PERIOD_S = 1.2;
/** Faults happen between these fractions of the run, so that there is load before and after them. */
const FIRST_AT = 0.04;
const LAST_AT = 0.92;
/** The frequency of `redis-kill` with `powerLoss`. */
const POWER_LOSS_WEIGHT = 4;
/** The pause after a fault before the same target is hit again. */
const BACK_OFF_MS = 1500;

/** Returns the target of a kind of fault. */
export function targetOf(kind: FaultKind): FaultTarget {
  return KINDS[kind].target;
}

/**
 * Plans faults in the order of their times. Kinds are drawn from a shuffled deck, which contains each kind as
 * many times as its weight, so that all kinds occur. No target is hit while it is down. The same shape and seed give
 * the same schedule.
 */
export function planFaults(shape: ScheduleShape, seed: number): Fault[] {
  const random = new Random(seed);
  const count = shape.faults ?? Math.max(1, Math.round(shape.seconds / PERIOD_S));
  const times = Array.from({ length: count }, () =>
    Math.round(shape.seconds * 1000 * (FIRST_AT + (LAST_AT - FIRST_AT) * random.next())),
  ).sort((a, b) => a - b);
  const busyUntilMs = new Map<string, number>();
  const kinds = drawKinds(random, count, shape.powerLoss === true);
  return times.flatMap((atMs) => {
    const free = (kind: FaultKind): number[] =>
      indices(shape, targetOf(kind)).filter((index) => (busyUntilMs.get(`${targetOf(kind)} ${index}`) ?? 0) <= atMs);
    // If all targets of a kind are down, the kind keeps its turn for the next time.
    const next = kinds.findIndex((kind) => free(kind).length > 0);
    const [kind] = next === -1 ? [] : kinds.splice(next, 1);
    if (kind === undefined) return [];
    const [least, most] = KINDS[kind].forMs;
    const forMs = random.between(least, most);
    const index = random.pick(free(kind));
    busyUntilMs.set(`${targetOf(kind)} ${index}`, atMs + forMs + BACK_OFF_MS);
    return [{ atMs, kind, index, forMs }];
  });
}

function drawKinds(random: Random, count: number, powerLoss: boolean): FaultKind[] {
  const weight = (kind: FaultKind) => (powerLoss && kind === 'redis-kill' ? POWER_LOSS_WEIGHT : KINDS[kind].weight);
  const deck = FAULT_KINDS.flatMap((kind) => Array.from({ length: weight(kind) }, () => kind));
  const drawn: FaultKind[] = [];
  while (drawn.length < count) drawn.push(...random.shuffle(deck));
  return drawn.slice(0, count);
}

function indices({ apis, workers }: ScheduleShape, target: FaultTarget): number[] {
  const counts: Record<FaultTarget, number> = {
    api: apis,
    'api-link': apis,
    worker: workers,
    'redis-link': apis + workers,
    redis: 1,
    storage: 1,
  };
  return Array.from({ length: counts[target] }, (_, index) => index);
}

/** Formats a fault as one line. */
export function faultLine({ atMs, kind, index, forMs }: Fault): string {
  const target = isOneOfAKind(kind) ? kind : `${kind} ${index}`;
  const duration = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`;
  return `${(atMs / 1000).toFixed(2).padStart(7)} s  ${target}${duration}`;
}

function isOneOfAKind(kind: FaultKind): boolean {
  return targetOf(kind) === 'redis' || targetOf(kind) === 'storage';
}
