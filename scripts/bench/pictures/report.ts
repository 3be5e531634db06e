import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { formatLimits, type Limit } from '../upload/limits.ts';

/** The seconds of each round of one contestant. */
export interface Figures {
  readonly title: string;
  readonly seconds: number[];
}

/** Minimum ratio of the service to the others, in pictures per second. */
const WANTED: Readonly<Record<string, number>> = { 'bare sharp script': 0.95, vipsthumbnail: 1.8, ImageMagick: 2 };

/** Returns the table, with the service first and its ratio to each of the others. */
export function report(
  heading: string,
  pictures: number,
  [service, ...others]: readonly Figures[],
  absent: readonly string[],
): string {
  if (service === undefined) return heading;
  const row = ({ title, seconds }: Figures): string[] => [
    title,
    figure(pictures / median(seconds), 2),
    figure((1000 * median(seconds)) / pictures, 0),
    figure(medianRatio(seconds, service.seconds), 2),
  ];
  const limits = others.flatMap(({ title, seconds }): Limit[] => {
    const least = WANTED[title];
    return least === undefined
      ? []
      : [{ what: `pictures per second, service to ${title}`, value: medianRatio(seconds, service.seconds), least }];
  });
  const table = formatTable(['', 'pictures per second', 'ms for each', 'service to it'], [service, ...others].map(row));
  const missing = absent.map((title) => `${title} is not installed on this machine, and so not measured.`);
  return [heading, table, formatLimits(limits), ...missing].join('\n\n');
}
