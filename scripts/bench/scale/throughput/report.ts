import { median, medianRatio } from '../../lib/statistics.ts';
import { figure, formatTable } from '../../lib/table.ts';
import { formatLimits } from '../../upload/limits.ts';
import type { ScaleOptions } from '../lib/part.ts';
import { BARE_JOBS, CONCURRENCY, REPORTING_JOBS, UPLOADS, type Contestant } from './contestants.ts';
import type { HttpFigures } from './http.ts';
import type { LoadMode, RoundFigures } from './round.ts';

/** All rounds with one number of workers. */
export interface CountFigures {
  workers: number;
  measured: readonly { contestant: Contestant; mode: LoadMode; rounds: RoundFigures[] }[];
  http: HttpFigures[];
}

const RATIO_TARGET = 0.5;

const HEADINGS = ['', 'a second', 'service beside it', 'worker µs', 'Redis µs', 'producer or API µs'];

const TITLES: Readonly<Record<LoadMode, string>> = {
  flow: 'added while they are worked off',
  drain: 'from a full queue',
};

/** Returns tables for all numbers of workers, and the state of the targets. */
export function reportThroughput(
  figures: readonly CountFigures[],
  { rounds, uploads, connections }: ScaleOptions,
): string {
  const title = `no processing, ${CONCURRENCY} jobs per worker, ${uploads} uploads per round; medians of ${rounds} rounds`;
  const note = `over HTTP: PUT of 1000 bytes by ${connections} clients, durable on disk, answered with the result`;
  return [title, ...figures.map(tableOf), note, formatLimits(figures.flatMap(targetsOf))].join('\n\n');
}

function tableOf({ workers, measured, http }: CountFigures): string {
  const rows = measured.map(({ contestant, mode, rounds }) => [
    `${contestant.title}, ${TITLES[mode]}`,
    ...columns(rounds, 'perSecond'),
    contestant === UPLOADS ? '' : figure(ratio({ measured }, mode, contestant), 2),
    ...columns(rounds, 'workerUs', 'redisUs', 'producerUs'),
  ]);
  const overHttp = [
    'deferred-uploads, over HTTP',
    ...columns(http, 'perSecond'),
    '',
    ...columns(http, 'workerUs', 'redisUs', 'apiUs'),
  ];
  return `${workers} worker process${workers === 1 ? '' : 'es'}\n${formatTable(HEADINGS, [...rows, overHttp])}`;
}

function columns<F>(
  rounds: readonly F[],
  ...names: { [K in keyof F]: F[K] extends number ? K : never }[keyof F][]
): string[] {
  return names.map((name) => figure(median(rounds.map((round) => Number(round[name])))));
}

function ratio({ measured }: Pick<CountFigures, 'measured'>, mode: LoadMode, peer: Contestant): number {
  const ratesOf = (contestant: Contestant) =>
    measured
      .filter((one) => one.contestant === contestant && one.mode === mode)
      .flatMap(({ rounds }) => rounds.map(({ perSecond }) => perSecond));
  return medianRatio(ratesOf(UPLOADS), ratesOf(peer));
}

function targetsOf(figures: CountFigures) {
  return [BARE_JOBS, REPORTING_JOBS].flatMap((peer) =>
    (['flow', 'drain'] as const).map((mode) => ({
      what: `${figures.workers} workers, ${TITLES[mode]}: beside ${peer.title}`,
      value: ratio(figures, mode, peer),
      least: RATIO_TARGET,
    })),
  );
}
