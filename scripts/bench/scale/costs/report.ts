import { figure, formatTable } from '../../lib/table.ts';
import type { Costs, UploadCost } from './costs.ts';

/** Returns the costs as two tables, rounded to two digits. */
export function reportCosts({ photo, small, answer, event, heldBytes, connections }: Costs): string {
  const row = (title: string, of: (upload: UploadCost) => string) => [title, of(photo), of(small)];
  const uploads = [
    row('bytes in, bytes of the variants', ({ bytesIn, bytesMade }) => `${size(bytesIn)}, ${size(bytesMade)}`),
    row('CPU of an API process, including the first answer', ({ apiUs }) => us(apiUs)),
    row('CPU of a worker', ({ workerUs }) => us(workerUs)),
    row('CPU of Redis', ({ redisUs }) => us(redisUs)),
    row('entries of the event stream', ({ events }) => round(events)),
    row('memory of Redis, until the end of its retention', ({ recordBytes }) => size(recordBytes)),
  ];
  const reader = `${us(event.readerUs)}, ${us(event.redisUsPerReader)} and ${size(event.bytesPerReader)}`;
  const others = [
    ['held answer and the poll that follows: API, Redis', `${us(answer.apiUs)}, ${us(answer.redisUs)}`],
    ['held response: memory of the API process', size(heldBytes)],
    ['event and API process that reads the stream: API, Redis', reader],
    ['process: connections to Redis, API and worker', `${figure(connections.api)}, ${figure(connections.worker)}`],
  ];
  return `${formatTable(['per upload', 'photo', 'small file'], uploads)}\n\n${formatTable(['per', ''], others)}`;
}

function us(value: number): string {
  return `${round(value)} µs`;
}

function round(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Number(value.toPrecision(2)).toLocaleString('en-GB', { maximumFractionDigits: 2 });
}

function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${round(bytes / 1000 ** step)} ${units[step] ?? 'B'}`;
}
