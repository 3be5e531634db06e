import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { formatLimits } from '../upload/limits.ts';
import type { TableFigures } from './service.ts';

/** All rounds of one kind of table. */
export interface KindFigures {
  readonly heading: string;
  readonly rows: number;
  readonly service: TableFigures[];
  /** Seconds of only csv-parse, and of csv-parse with its records written as JSON Lines. */
  readonly records: number[];
  readonly jsonLines: number[];
  /** Growth of the worker's memory in bytes (see `WholeService`). */
  workerGrowth: number;
}

const MIB = 2 ** 20;

/** Minimum ratio to the rows per second of plain csv-parse. */
const LEAST_TO_BARE = 0.8;

/** Returns the table of each kind, then all limits. */
export function report(kinds: readonly KindFigures[]): string {
  const limits = kinds.map((kind) => ({
    what: `rows per second, service to bare csv-parse: ${kind.heading}`,
    value: toBare(kind, seconds(kind)),
    least: LEAST_TO_BARE,
  }));
  return [...kinds.map(reportKind), formatLimits(limits)].join('\n\n');
}

function reportKind(kind: KindFigures): string {
  const row = (title: string, took: readonly number[]): string[] => [
    title,
    figure(kind.rows / median(took)),
    figure(median(took), 2),
    figure(toBare(kind, took), 2),
  ];
  const table = formatTable(
    ['', 'rows per second', 'seconds', 'to bare'],
    [
      row('deferred-uploads, first byte to result', seconds(kind)),
      row(
        'of that the processor: types, JSON Lines, durable',
        kind.service.map(({ processingSeconds }) => processingSeconds),
      ),
      row('bare csv-parse: counts the records', kind.records),
      row('csv-parse, JSON.stringify, a file', kind.jsonLines),
    ],
  );
  return `${kind.heading}\n${table}\npeak memory of the worker beyond a small table: ${figure(kind.workerGrowth / MIB)} MiB`;
}

function seconds({ service }: KindFigures): number[] {
  return service.map((round) => round.seconds);
}

function toBare({ records }: KindFigures, took: readonly number[]): number {
  return medianRatio(records, took);
}
