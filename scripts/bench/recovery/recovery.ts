import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { printOnSignals } from '../lib/session.ts';
import { median } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { FAULTS, type Fault, type RecoveryTimes } from './faults.ts';
import { startFleet, type Fleet } from './fleet.ts';

const defaults = { rounds: 3, lanes: 4 };
const quick = { rounds: 1 };

const HEADINGS = ['fault', 'next attempt ms', 'worst', 'waiter notified ms', 'worst', 'worker is back ms'];

/** Measures the recovery from each fault of a worker, and the delay of a cancel. */
export const recovery: Bench<typeof defaults> = {
  name: 'recovery',
  summary:
    'from a fault of a worker, or a cancel, to the next attempt, the outcome and the new worker; in several ' +
    'lanes at once',
  defaults,
  quick,
  async run({ rounds, lanes }) {
    const results = new Map<Fault, RecoveryTimes[]>(FAULTS.map((fault) => [fault, []]));
    const report = (): string => {
      const rows = FAULTS.map((fault) => rowOf(fault, results.get(fault) ?? []));
      const title = `medians and worst of ${rounds} rounds; for a cancel the first figure is its signal`;
      return `${title}\n\n${formatTable(HEADINGS, rows)}`;
    };
    onInterrupt(report);
    const fleets = new Set<Fleet>();
    const giveSignalsBack = printOnSignals(async () => {
      for (const fleet of fleets) fleet.kill();
    });
    const left = [...FAULTS];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift())
        await measureFault(next, rounds, fleets, results.get(next) ?? []);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    giveSignalsBack();
    return report();
  },
};

/** Adds the times of all rounds. While the fleet runs, it is one of `fleets`. */
async function measureFault(fault: Fault, rounds: number, fleets: Set<Fleet>, results: RecoveryTimes[]): Promise<void> {
  say(fault.title);
  const fleet = await startFleet(fault.workers, fault.env);
  fleets.add(fleet);
  try {
    while (results.length < rounds) results.push(await fault.measure(fleet));
  } catch (error) {
    throw new Error(fault.title, { cause: error });
  } finally {
    await fleet.stop();
    fleets.delete(fleet);
  }
}

function rowOf({ title }: Fault, results: readonly RecoveryTimes[]): string[] {
  const column = (pick: (result: RecoveryTimes) => number) => [
    figure(median(results.map(pick))),
    figure(Math.max(...results.map(pick))),
  ];
  const [back = '-'] = column(({ back: atMs }) => atMs);
  return [title, ...column(({ next }) => next), ...column(({ notified }) => notified), back];
}
