import type { Costs, UploadCost } from '../costs/costs.ts';
import { staffingOf, type Work } from './site.ts';
import { siteAfter, STEPS } from './steps.ts';
import { ceilingOf, connectionsOf, usesOf, type Limit } from './uses.ts';

const MACHINE_COUNTS = [1, 10, 100, 1000];

/** All tables of `docs/scaling.md`, in Markdown, by the headings they stand under there. */
export function scalingTables(costs: Costs): string {
  const works: Work[] = [
    { title: 'Photos of 12 megapixels', upload: costs.photo },
    { title: 'Small files without processing', upload: costs.small },
  ];
  const ladders = works.flatMap((work) => [`### ${work.title}`, sentenceOf(costs, work), ladderOf(costs, work)]);
  const [photos] = works;
  const uses = photos === undefined ? [] : [USES_SENTENCE, usesTable(costs, photos)];
  return ['### What it costs', costsTable(costs), ...ladders, '### How much of each limit is used', ...uses].join(
    '\n\n',
  );
}

const USES_SENTENCE =
  'Photos, at half the rate that the workers of these machines could process. Above 100 % the limit is exceeded.';

function costsTable(costs: Costs): string {
  const row = (title: string, of: (upload: UploadCost) => string) =>
    `| ${title} | ${of(costs.photo)} | ${of(costs.small)} |`;
  const us = (value: number) => `${round(value)} µs`;
  return [
    `| per upload (${costs.taken}) | photo | small file |`,
    '| --- | --- | --- |',
    row('bytes in, bytes of the variants', ({ bytesIn, bytesMade }) => `${size(bytesIn)}, ${size(bytesMade)}`),
    row('CPU of an API process, including the first answer', ({ apiUs }) => us(apiUs)),
    row('CPU of a worker', ({ workerUs }) => us(workerUs)),
    row('CPU of Redis', ({ redisUs }) => us(redisUs)),
    row('entries of the event stream', ({ events }) => round(events)),
    row('memory of Redis, until the end of its retention', ({ recordBytes }) => size(recordBytes)),
    '',
    '| per | |',
    '| --- | --- |',
    `| held answer and the poll that follows: API, Redis | ${us(costs.answer.apiUs)}, ${us(costs.answer.redisUs)} |`,
    `| held response: memory of the API process | ${size(costs.heldBytes)} |`,
    `| event and API process that reads the stream: API, Redis | ${us(costs.event.readerUs)}, ${us(costs.event.redisUsPerReader)} and ${size(costs.event.bytesPerReader)} |`,
    `| process: connections to Redis, API and worker | ${costs.connections.api}, ${costs.connections.worker} |`,
  ].join('\n');
}

function sentenceOf(costs: Costs, work: Work): string {
  const { apis, workers } = staffingOf(costs, work);
  return `Each machine runs ${apis} API and ${workers} worker processes. Uploads a second, and the limit that is reached first:`;
}

function ladderOf(costs: Costs, work: Work): string {
  const lines = STEPS.map(({ title }, index) => {
    const cells = MACHINE_COUNTS.map((machines) => {
      const { uploadsPerSecond, limit } = ceilingOf(costs, work, siteAfter(index, machines));
      return `${round(uploadsPerSecond)}, ${limit}`;
    });
    return `| ${index === 0 ? title : `+ ${title}`} | ${cells.join(' | ')} |`;
  });
  return [
    `| ${['step', ...MACHINE_COUNTS.map(machinesTitle)].join(' | ')} |`,
    separator(MACHINE_COUNTS.length),
    ...lines,
  ].join('\n');
}

function usesTable(costs: Costs, work: Work): string {
  const last = STEPS.length - 1;
  const columns = [
    ...MACHINE_COUNTS.map((machines) => ({ title: machinesTitle(machines), site: siteAfter(0, machines) })),
    { title: `${machinesTitle(1000)}, all steps`, site: siteAfter(last, 1000) },
  ];
  const uses = columns.map(({ site }) => usesOf(costs, work, site, 0.5 / usesOf(costs, work, site, 1)['worker CPU']));
  const names = Object.keys(uses[0] ?? {}) as Limit[];
  const lines = names.map((name) => `| ${[name, ...uses.map((use) => percent(use[name]))].join(' | ')} |`);
  const connections = `| ${['connections to each Redis', ...columns.map(({ site }) => round(connectionsOf(costs, work, site)))].join(' | ')} |`;
  return [
    `| ${['limit', ...columns.map(({ title }) => title)].join(' | ')} |`,
    separator(columns.length),
    ...lines,
    connections,
  ].join('\n');
}

function machinesTitle(machines: number): string {
  return machines === 1 ? '1 machine' : `${machines} machines`;
}

function separator(columns: number): string {
  return `| ${Array.from({ length: columns + 1 }, () => '---').join(' | ')} |`;
}

/** To two digits, since no more are known. */
function round(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en-GB', { maximumFractionDigits: 2 });
}

function percent(use: number): string {
  if (use === 0) return '-';
  return use < 0.001 ? '< 0.1 %' : `${round(100 * use)} %`;
}

function size(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${round(bytes / 1000 ** step)} ${units[step] ?? ''}`;
}
