import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { formatLimits, type Limit } from '../upload/limits.ts';

/** The seconds that each round took one of them. */
export interface Figures {
  readonly title: string;
  readonly seconds: number[];
}

/** What our service must reach of the others; in pictures per second. */
const WANTED: Readonly<Record<string, number>> = { 'bare sharp script': 0.95, vipsthumbnail: 1.8, ImageMagick: 2 };

/** All as a table, ours first, with its ratio to each of the others. */
export function report(
  heading: string,
  pictures: number,
  [ours, ...others]: readonly Figures[],
  absent: readonly string[],
): string {
  if (ours === undefined) return heading;
  const row = ({ title, seconds }: Figures): string[] => [
    title,
    figure(pictures / median(seconds), 2),
    figure((1000 * median(seconds)) / pictures, 0),
    figure(medianRatio(seconds, ours.seconds), 2),
  ];
  const limits = others.flatMap(({ title, seconds }): Limit[] => {
    const least = WANTED[title];
    return least === undefined
      ? []
      : [{ what: `pictures per second, ours to ${title}`, value: medianRatio(seconds, ours.seconds), least }];
  });
  const table = formatTable(['', 'pictures per second', 'ms for each', 'ours to it'], [ours, ...others].map(row));
  const missing = absent.map((title) => `${title} is not installed on this machine, and so not measured.`);
  return [heading, table, formatLimits(limits), ...missing].join('\n\n');
}
