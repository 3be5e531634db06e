import { median, sum } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import type { PollFigures } from './poll-every-second.ts';

/** One visit with an empty cache. Bytes are those on the network, with headers. */
export interface LoadFigures {
  firstPaintMs: number;
  bytes: number;
  requests: number;
}

/** Many files dropped at the same time. `requests` are counted by method and first part of the path. */
export interface DropFigures {
  requests: Readonly<Record<string, number>>;
  seconds: number;
  /** Duration of every task that blocked the page for 50 ms or more. */
  longTasksMs: readonly number[];
}

/** The figures of a run. A figure is undefined before it is measured. */
export interface PageFigures {
  readonly loads: LoadFigures[];
  dropped: DropFigures | undefined;
  polled: PollFigures | undefined;
}

const NO_DROP: DropFigures = { requests: {}, seconds: Number.NaN, longTasksMs: [] };
const NO_POLL: PollFigures = { requests: Number.NaN, seconds: Number.NaN };

const WEIGHT_TARGET_KB = 40;
const PAINT_TARGET_MS = 200;
const LONG_TASK_TARGET_MS = 100;
const REQUESTS_TARGET = 3;

/** Returns the tables and the state of the targets. */
export function reportPage(
  { files, loads }: { files: number; loads: number },
  { loads: loaded, dropped, polled = NO_POLL }: PageFigures,
): string {
  const { requests, seconds, longTasksMs } = dropped ?? NO_DROP;
  const total = dropped === undefined ? Number.NaN : sum(Object.values(requests));
  const longest = dropped === undefined ? Number.NaN : Math.max(0, ...longTasksMs);
  const weightKb = median(loaded.map(({ bytes }) => bytes)) / 1000;
  const paintMs = median(loaded.map(({ firstPaintMs }) => firstPaintMs));
  const kinds = Object.entries(requests)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => [`  ${kind}`, figure(count), figure(count / files, 2), '']);
  return [
    formatTable(
      ['', 'requests', 'per upload', 'seconds'],
      [
        ['the page', figure(total), figure(total / files, 2), figure(seconds, 1)],
        ...kinds,
        [
          'polling once a second',
          figure(polled.requests),
          figure(polled.requests / files, 2),
          figure(polled.seconds, 1),
        ],
      ],
    ),
    '',
    formatTargets([
      {
        what: `weight of the page, kB over the wire (${loaded[0]?.requests ?? 0} requests)`,
        value: weightKb,
        most: WEIGHT_TARGET_KB,
        digits: 1,
      },
      { what: `first contentful paint, ms (median of ${loads})`, value: paintMs, most: PAINT_TARGET_MS, digits: 0 },
      {
        what: `longest task, ms, while ${files} files go through (${longTasksMs.length} over 50)`,
        value: longest,
        most: LONG_TASK_TARGET_MS,
        digits: 0,
      },
      { what: 'requests per finished upload', value: total / files, most: REQUESTS_TARGET },
    ]),
    '',
    `${files} photos of 1200 × 900 pixels dropped at once; API, workers and browser share the machine.`,
    'GET /variants are the thumbnails on the screen. Polling sends three files at once, as the page does.',
  ].join('\n');
}
