import type { MinuteCounts, ProcessReport } from '../../wire/documents.ts';

/** Figures that are sums over all processes. */
export interface Totals {
  held: number;
  /** The route with the most held responses first. */
  heldByRoute: readonly (readonly [route: string, held: number])[];
  running: number;
  /** Workers, and how many of them take no jobs. */
  workers: number;
  pausedWorkers: number;
  lastMinute: MinuteCounts;
  /** The highest value of any process; null if no response was woken lately. */
  wake: { p50Ms: number; p99Ms: number } | null;
}

/** Adds up the reports of the processes. */
export function totalsOf(processes: readonly ProcessReport[]): Totals {
  const byRoute = new Map<string, number>();
  const lastMinute = { received: 0, completed: 0, failed: 0 };
  let running = 0;
  for (const process of processes) {
    for (const [route, held] of Object.entries(process.held)) byRoute.set(route, (byRoute.get(route) ?? 0) + held);
    running += process.running;
    lastMinute.received += process.lastMinute.received;
    lastMinute.completed += process.lastMinute.completed;
    lastMinute.failed += process.lastMinute.failed;
  }
  const heldByRoute = [...byRoute].sort(
    ([route, held], [otherRoute, otherHeld]) => otherHeld - held || route.localeCompare(otherRoute),
  );
  const held = heldByRoute.reduce((sum, [, count]) => sum + count, 0);
  const workers = processes.filter(({ role }) => role === 'worker');
  const pausedWorkers = workers.filter(({ pausedBy }) => pausedBy === 'storage').length;
  return { held, heldByRoute, running, workers: workers.length, pausedWorkers, lastMinute, wake: slowestOf(processes) };
}

function slowestOf(processes: readonly ProcessReport[]): Totals['wake'] {
  const wakes = processes.flatMap(({ wake }) => (wake === null ? [] : [wake]));
  if (wakes.length === 0) return null;
  return { p50Ms: Math.max(...wakes.map(({ p50Ms }) => p50Ms)), p99Ms: Math.max(...wakes.map(({ p99Ms }) => p99Ms)) };
}
