import { photo } from '../../../test/helpers/pictures.ts';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { printOnSignals } from '../lib/session.ts';
import { median } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { redisFaults, type RedisFault } from './redis-faults.ts';
import { measureRedisFault, type RedisRecoveryTimes } from './measure-redis-fault.ts';

/** Defaults of the options. `outage` is in seconds. */
const defaults = { rounds: 3, lanes: 2, outage: 30 };
const quick = { rounds: 1, outage: 5 };

const HEADINGS = [
  'fault',
  'ready ms',
  'worst',
  'upload taken ms',
  'worst',
  'held client notified ms',
  'worst',
  'slowest refusal ms',
];

/** Measures the recovery from each fault of Redis. */
export const redisRecovery: Bench<typeof defaults> = {
  name: 'redis-recovery',
  summary:
    'from a fault of Redis, or its end, until processes are ready, an upload is taken, and clients that were ' +
    'held are notified',
  defaults,
  quick,
  async run({ rounds, lanes, outage }) {
    const bytes = await photo({ width: 120, height: 90 });
    const faults = redisFaults(outage * 1000);
    const results = new Map<RedisFault, RedisRecoveryTimes[]>(faults.map((fault) => [fault, []]));
    const report = (): string => {
      const rows = faults.map((fault) => rowOf(fault, results.get(fault) ?? []));
      return `medians and worst of ${rounds} rounds, from the end of the fault, or from its beginning if it has no end\n\n${formatTable(HEADINGS, rows)}`;
    };
    onInterrupt(report);
    // The processes of the service end with this one.
    const giveSignalsBack = printOnSignals();
    const left = faults.flatMap((fault) => Array.from({ length: rounds }, () => fault));
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        say(next.title);
        results.get(next)?.push(await measureRedisFault(next, bytes));
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    giveSignalsBack();
    return report();
  },
};

function rowOf({ title }: RedisFault, results: readonly RedisRecoveryTimes[]): string[] {
  const column = (pick: (result: RedisRecoveryTimes) => number) => [
    figure(median(results.map(pick))),
    figure(Math.max(...results.map(pick))),
  ];
  const refusals = results.map(({ refused }) => refused).filter((ms) => !Number.isNaN(ms));
  const slowest = refusals.length === 0 ? Number.NaN : Math.max(...refusals);
  return [
    title,
    ...column(({ ready }) => ready),
    ...column(({ taken }) => taken),
    ...column(({ notified }) => notified),
    figure(slowest),
  ];
}
