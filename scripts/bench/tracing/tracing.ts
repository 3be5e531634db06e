import { Agent } from 'node:http';
import { join } from 'node:path';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { WITHOUT_TRACING } from '../lib/peer.ts';
import { startServiceProcesses, type ServiceProcesses } from '../lib/service-processes.ts';
import { withSession, type Session } from '../lib/session.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import { sendForms } from '../stack/send.ts';
import { usageOf } from '../stack/usage.ts';
import { hooksUs } from './hooks.ts';

const defaults = { uploads: 300, rounds: 9 };
const quick = { uploads: 50, rounds: 1 };

/** The number of uploads that are enough to compile all code in every process. */
const WARM_UP_UPLOADS = 150;

/** A table of two rows costs almost no processing, so the share of the spans is as large as it can be. */
const LOAD = { name: 'a.csv', type: 'text/csv', bytes: Buffer.from('name,value\na,1\nb,2\n') };
const CONNECTIONS = 2;

/**
 * "No measurable cost": the hooks take at most this share of an upload's processor time. Equal processes differ by
 * more, so the ratio of whole processes has no limit.
 */
const MOST_SHARE = 0.005;

/** Processor time of an upload from its first byte to its result, in microseconds. */
interface Cost {
  readonly apiUs: number;
  readonly workerUs: number;
}

interface Side {
  readonly title: string;
  readonly options: readonly string[];
  readonly costs: Cost[];
}

/** Measures the cost of the code of tracing while it is off. */
export const tracing: Bench<typeof defaults> = {
  name: 'tracing',
  summary: 'processor time of uploads while tracing is off, beside the same service without its code',
  defaults,
  quick,
  async run(options) {
    const sides: Side[] = [
      { title: 'no code of tracing', options: WITHOUT_TRACING, costs: [] },
      { title: 'tracing off', options: [], costs: [] },
      { title: 'tracing off, again', options: [], costs: [] },
    ];
    const ownUs = await hooksUs();
    const report = (): string => reportOf(sides, options, ownUs);
    onInterrupt(report);
    return await withSession(async (session) => {
      const services: ServiceProcesses[] = [];
      try {
        for (const [index, side] of sides.entries()) services.push(await startSide(session, index, side, options));
        for (let round = 0; round <= options.rounds; round += 1) {
          say(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`);
          // Each round begins with another side, so that none is always the first.
          for (let turn = 0; turn < sides.length; turn += 1) {
            const index = (round + turn) % sides.length;
            const cost = await measure(services[index], round === 0 ? WARM_UP_UPLOADS : options.uploads);
            if (round > 0) sides[index]?.costs.push(cost);
          }
        }
      } finally {
        await Promise.all(services.map(({ end }) => end()));
      }
      return report();
    });
  },
};

async function startSide(
  session: Session,
  index: number,
  { title, options }: Side,
  { serverOptions }: { serverOptions: readonly string[] },
): Promise<ServiceProcesses> {
  say(`starting: ${title}`);
  const nodeOptions = [...serverOptions, ...options];
  return await startServiceProcesses(
    { ...session, directory: join(session.directory, String(index)) },
    { workers: 1, env: { QUEUE_PREFIX: `side-${index}` }, apiOptions: nodeOptions, workerOptions: nodeOptions },
  );
}

async function measure(service: ServiceProcesses | undefined, uploads: number): Promise<Cost> {
  if (service === undefined) throw new Error('not started');
  const usage = async () =>
    await Promise.all([service.api, ...service.workers].map(({ child }) => usageOf([child.pid ?? 0])));
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const before = await usage();
  await sendForms(service.api.url, agent, { ...LOAD, connections: CONNECTIONS }, uploads);
  const after = await usage();
  agent.destroy();
  const costUs = (index: number): number =>
    (((after[index]?.cpuMs ?? Number.NaN) - (before[index]?.cpuMs ?? Number.NaN)) * 1000) / uploads;
  return { apiUs: costUs(0), workerUs: costUs(1) };
}

function reportOf(
  sides: readonly Side[],
  { uploads, rounds }: { uploads: number; rounds: number },
  ownUs: number,
): string {
  const reference = sides[0]?.costs ?? [];
  const ratio = (costs: readonly Cost[], pick: (cost: Cost) => number): number =>
    medianRatio(costs.map(pick), reference.map(pick));
  const rows = sides.map(({ title, costs }) => [
    title,
    ...[apiOf, workerOf, bothOf].map((pick) => figure(median(costs.map(pick)))),
    ...[apiOf, workerOf, bothOf].map((pick) => figure(ratio(costs, pick), 3)),
  ]);
  const headings = [
    'processor time of an upload',
    'API µs',
    'worker µs',
    'both µs',
    'API ratio',
    'worker ratio',
    'both',
  ];
  const title = `${uploads} small tables a round, medians of ${rounds} rounds; ratios are to the first line`;
  const uploadUs = median(reference.map(bothOf));
  const hooks = `The hooks alone take ${figure(ownUs, 2)} µs of one upload.`;
  const targets = [
    { what: 'share of an upload that the hooks take', value: ownUs / uploadUs, most: MOST_SHARE, digits: 4 },
  ];
  return `${title}\n${formatTable(headings, rows)}\n\n${hooks}\n\n${formatTargets(targets)}`;
}

function apiOf({ apiUs }: Cost): number {
  return apiUs;
}

function workerOf({ workerUs }: Cost): number {
  return workerUs;
}

function bothOf({ apiUs, workerUs }: Cost): number {
  return apiUs + workerUs;
}
