import type { ClientQuestions } from '../children/clients.ts';
import { onInterrupt, say } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { untilEqual } from '../lib/eventually.ts';
import { heldBy, SERVICE, startPeer, type Peer } from '../lib/peer.ts';
import type { Session } from '../lib/session.ts';
import { median } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import type { ReaderQuestions } from './children/event-reader.ts';
import { startCrowd, type Crowd } from './lib/crowd.ts';
import type { Part, ScaleOptions } from './lib/part.ts';
import { withRedisMeter, type RedisMeter } from './lib/redis-meter.ts';

/** Number of held responses of the measured process, for uploads without events. */
const HELD = 100;
const TARGET_PERCENT = 1;
const BUSES = ['stream', 'targeted'] as const;

interface Figures {
  bus: (typeof BUSES)[number];
  perSecond: number[];
  /** Processor time in percent of one core, scaled to the requested rate. The time of an idle process counts too. */
  apiPercent: number[];
  readerPercent: number[];
  redisUsPerEvent: number[];
}

/** Measures the processor time of an API process for changes without waiters. */
export const unwanted: Part = {
  name: 'unwanted',
  summary: 'processor time of an API process for changes of uploads for which no client waits',
  async run(session, options) {
    const clients = session.start<ClientQuestions>('clients');
    const measured = BUSES.map((bus): Figures => ({
      bus,
      perSecond: [],
      apiPercent: [],
      readerPercent: [],
      redisUsPerEvent: [],
    }));
    onInterrupt(() => report(measured, options));
    for (const figures of measured) {
      say(`EVENT_BUS=${figures.bus}`);
      await measureBus(session, clients, figures, options);
    }
    return report(measured, options);
  },
};

async function measureBus(
  session: Session,
  clients: Child<ClientQuestions>,
  figures: Figures,
  options: ScaleOptions,
): Promise<void> {
  const { bus } = figures;
  const settings = { EVENT_BUS: bus };
  const peer = await startPeer(session, { ...SERVICE, title: bus, settings }, HELD, options.serverOptions);
  const crowd = await startCrowd(session, settings);
  const reader = session.start<ReaderQuestions>('../scale/children/event-reader');
  await reader.ask('start', session.redisUrl);
  await hold(peer, clients);
  await withRedisMeter(session.redisUrl, async (meter) => {
    for (let round = 0; round <= options.rounds; round += 1) {
      const one = await runRound(peer, crowd, reader, meter, options);
      if (round === 0) continue;
      figures.perSecond.push(one.perSecond);
      figures.apiPercent.push(one.apiPercent);
      figures.readerPercent.push(one.readerPercent);
      figures.redisUsPerEvent.push(one.redisUsPerEvent);
    }
  });
  await clients.ask('disconnect');
  await Promise.all([peer.end(), crowd.end(), reader.end()]);
}

async function hold(peer: Peer, clients: Child<ClientQuestions>): Promise<void> {
  const versions = await peer.firing.ask('ready', 0);
  await clients.ask('connect', { ports: peer.ports, ids: peer.ids, path: peer.kind.path });
  await clients.ask('poll', { versions, repolls: true });
  await untilEqual('responses held', HELD, () => heldBy(peer));
}

async function runRound(
  { server }: Peer,
  crowd: Crowd,
  reader: Child<ReaderQuestions>,
  meter: RedisMeter,
  { unwanted: perSecond, seconds }: ScaleOptions,
) {
  const [apiUs, readerUs] = [await server.ask('cpuUs'), await reader.ask('cpuUs')];
  await meter.begin();
  const fired = await crowd.fire({ perSecond, seconds });
  const percent = (usedUs: number) => ((usedUs / fired.events) * perSecond) / 1e4;
  return {
    perSecond: fired.perSecond,
    apiPercent: percent((await server.ask('cpuUs')) - apiUs),
    readerPercent: percent((await reader.ask('cpuUs')) - readerUs),
    redisUsPerEvent: (await meter.cpuUs()) / fired.events,
  };
}

function report(measured: readonly Figures[], { unwanted: perSecond, rounds }: ScaleOptions): string {
  const rows = measured.map((one) => [
    one.bus,
    figure(median(one.perSecond)),
    figure(median(one.apiPercent), 2),
    figure(median(one.readerPercent), 2),
    figure(median(one.redisUsPerEvent), 1),
  ]);
  const headings = [
    'EVENT_BUS',
    'events/s fired',
    'API process, % of a core',
    'bare QueueEvents, %',
    'Redis µs an event',
  ];
  const targeted = measured.find(({ bus }) => bus === 'targeted')?.apiPercent ?? [];
  const target = { what: 'targeted, % of a core', value: median(targeted), most: TARGET_PERCENT };
  const title = `an API process with ${HELD} held responses and ${perSecond} events/s for other uploads; medians of ${rounds} rounds`;
  return `${title}\n${formatTable(headings, rows)}\n\n${formatTargets([target])}`;
}
