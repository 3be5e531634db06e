import { median, medianRatio, percentile } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { formatLimits, type Limit } from '../upload/limits.ts';
import type { StackLoad } from './loads.ts';

/** One round of one stack. Processor times are totals of all files. */
export interface StackRound {
  readonly files: number;
  readonly seconds: number;
  /** Milliseconds from the first byte of each file to its result. */
  readonly tookMs: readonly number[];
  readonly apiMs: number;
  readonly workerMs: number;
  readonly redisMs: number;
  readonly apiBytes: number;
  readonly workerBytes: number;
}

/** The rounds of one stack with one load. */
export interface LoadFigures {
  readonly title: string;
  readonly rounds: StackRound[];
}

const MIB = 2 ** 20;

const HEADINGS = [
  '',
  'a second',
  'p50 ms',
  'p99 ms',
  'API CPU ms',
  'worker CPU ms',
  'Redis CPU ms',
  'API MiB',
  'workers MiB',
  'service to it: a second',
  'API CPU',
  'worker CPU',
];

/** Returns the table of a load (medians, and the ratios of the service to each other stack) and its targets. */
export function reportLoad(load: StackLoad, [service, ...others]: readonly LoadFigures[]): string {
  if (service === undefined) return load.title;
  const size = `${(load.bytes.length / 1000).toFixed(load.bytes.length < 10_000 ? 1 : 0)} kB each`;
  const { files, title, connections } = load;
  const rounds = `medians of ${service.rounds.length} rounds`;
  const heading = `${files} ${title}, ${size}, ${connections} at once; ${rounds}`;
  const rows = [rowOf(service), ...others.map((other) => [...rowOf(other), ...ratiosOf(service, other)])];
  const limits = limitsOf(load, service, others);
  return [heading, formatTable(HEADINGS, rows), ...(limits.length === 0 ? [] : [formatLimits(limits)])].join('\n\n');
}

function limitsOf({ targets = {} }: StackLoad, service: LoadFigures, others: readonly LoadFigures[]): Limit[] {
  return others.flatMap((other, index): Limit[] => {
    const [least, most] = [targets.perSecond?.[index], targets.apiCpu?.[index]];
    const [faster, costlier] = [ratio(service, other, perSecond), ratio(service, other, apiCpu)];
    return [
      ...(least === undefined ? [] : [{ what: `a second, service to ${other.title}`, value: faster, least }]),
      ...(most === undefined ? [] : [{ what: `API CPU, service to ${other.title}`, value: costlier, most }]),
    ];
  });
}

function rowOf({ title, rounds }: LoadFigures): string[] {
  const each = (of: (round: StackRound) => number) => median(rounds.map(of));
  return [
    title,
    figure(each(perSecond), 2),
    figure(
      each(({ tookMs }) => median(tookMs)),
      0,
    ),
    figure(
      each(({ tookMs }) => percentile(tookMs, 0.99)),
      0,
    ),
    figure(
      each(({ apiMs, files }) => apiMs / files),
      2,
    ),
    figure(
      each(({ workerMs, files }) => workerMs / files),
      2,
    ),
    figure(
      each(({ redisMs, files }) => redisMs / files),
      2,
    ),
    figure(
      each(({ apiBytes }) => apiBytes / MIB),
      0,
    ),
    figure(
      each(({ workerBytes }) => workerBytes / MIB),
      0,
    ),
  ];
}

function ratiosOf(service: LoadFigures, other: LoadFigures): string[] {
  return [perSecond, apiCpu, workerCpu].map((of) => figure(ratio(service, other, of), 2));
}

function ratio(service: LoadFigures, other: LoadFigures, of: (round: StackRound) => number): number {
  return medianRatio(service.rounds.map(of), other.rounds.map(of));
}

function perSecond({ files, seconds }: StackRound): number {
  return files / seconds;
}

function apiCpu({ apiMs }: StackRound): number {
  return apiMs;
}

function workerCpu({ workerMs }: StackRound): number {
  return workerMs;
}
