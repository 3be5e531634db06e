import { setTimeout as delay } from 'node:timers/promises';
import type { ClientQuestions } from '../children/clients.ts';
import { onInterrupt, say } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { untilEqual } from '../lib/eventually.ts';
import { heldBy, SERVICE, startPeer, type Peer } from '../lib/peer.ts';
import type { Session } from '../lib/session.ts';
import { sharedNowUs, type Moment } from '../lib/shared-clock.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import type { ReaderQuestions } from './children/event-reader.ts';
import { startCrowd } from './lib/crowd.ts';
import type { Part, ScaleOptions } from './lib/part.ts';

/** A wait that is longer counts as lost. It would end later by its timeout. */
const WAKE_WITHIN_MS = 10_000;
const POLL_MS = 50;
const US_PER_MS = 1000;
const BUSES = ['stream', 'targeted'] as const;

interface Figures {
  bus: (typeof BUSES)[number];
  perSecond: number;
  lost: number;
  /** Time from the continuation of the process to the last answer. */
  lastMs: number;
  /**
   * The number of events that a plain reader missed while it was stopped for the same time, and the number of all
   * events.
   */
  readerMissed: number;
  events: number;
}

/** Stops a process while more events pass than the stream keeps. */
export const stall: Part = {
  name: 'stall',
  summary: 'waits that are lost if a process stands still while more events happen than the stream keeps',
  async run(session, options) {
    const measured: Figures[] = [];
    onInterrupt(() => report(measured, options));
    for (const bus of BUSES) {
      say(`EVENT_BUS=${bus}`);
      measured.push(await measureBus(session, bus, options));
    }
    return report(measured, options);
  },
};

async function measureBus(session: Session, bus: Figures['bus'], options: ScaleOptions): Promise<Figures> {
  const settings = { EVENT_BUS: bus };
  const clients = session.start<ClientQuestions>('clients');
  const reader = session.start<ReaderQuestions>('../scale/children/event-reader');
  const peer = await startPeer(session, { ...SERVICE, title: bus, settings }, options.held, options.serverOptions);
  const crowd = await startCrowd(session, settings);
  await reader.ask('start', session.redisUrl);
  const versions = await holdAll(peer, clients);
  await delay(POLL_MS);
  const receivedBefore = await reader.ask('received');
  const stalled = [peer.server.pid, reader.pid];
  for (const pid of stalled) process.kill(pid, 'SIGSTOP');
  // Half of the awaited events come at once and are trimmed from the stream. The other half stay in it.
  const half = Math.floor(peer.ids.length / 2);
  await peer.firing.ask('fire', { events: half, from: 0 });
  const fired = await crowd.fire({ perSecond: options.unwanted, seconds: options.stall });
  await peer.firing.ask('fire', { events: peer.ids.length - half, from: half });
  const wokenAtUs = sharedNowUs();
  for (const pid of stalled) process.kill(pid, 'SIGCONT');
  const answers = await answersWithin(clients, peer.ids.length);
  const events = fired.events + peer.ids.length;
  const received = (await reader.ask('received')) - receivedBefore;
  await Promise.all([peer.end(), crowd.end(), reader.end(), clients.end()]);
  const right = new Set(answers.filter(({ slot, version }) => version > (versions[slot] ?? 0)).map(({ slot }) => slot));
  return {
    bus,
    events,
    perSecond: fired.perSecond,
    lost: peer.ids.length - right.size,
    lastMs: (answers.reduce((last, { atUs }) => Math.max(last, atUs), 0) - wokenAtUs) / US_PER_MS,
    readerMissed: events - received,
  };
}

/** Holds a response for every client. Resolves with the versions that the clients have seen. */
async function holdAll(peer: Peer, clients: Child<ClientQuestions>): Promise<number[]> {
  const versions = await peer.firing.ask('ready', peer.ids.length);
  await clients.ask('connect', { ports: peer.ports, ids: peer.ids, path: peer.kind.path });
  await clients.ask('poll', { versions, repolls: false });
  await untilEqual('responses held', peer.ids.length, () => heldBy(peer));
  await clients.ask('take');
  return versions;
}

async function answersWithin(clients: Child<ClientQuestions>, wanted: number): Promise<Moment[]> {
  const deadlineMs = performance.now() + WAKE_WITHIN_MS;
  while ((await clients.ask('answered')) < wanted && performance.now() < deadlineMs) await delay(POLL_MS);
  return (await clients.ask('take')).answers;
}

function report(measured: readonly Figures[], { held, unwanted, stall: seconds }: ScaleOptions): string {
  const rows = measured.map((one) => [
    one.bus,
    figure(one.perSecond),
    figure(one.lost),
    figure(one.lastMs),
    `${figure((100 * one.readerMissed) / one.events, 1)} %`,
  ]);
  const headings = [
    'EVENT_BUS',
    'events/s fired',
    'waits lost',
    'last answer, ms after',
    'missed by a bare QueueEvents',
  ];
  const title = `an API process with ${held} held polls is stopped for ${seconds} s, with ${unwanted} events/s and changes of all polled uploads`;
  const targets = measured.map(({ bus, lost }) => ({ what: `waits lost, ${bus}`, value: lost, most: 0, digits: 0 }));
  return `${title}\n${formatTable(headings, rows)}\n\n${formatTargets(targets)}`;
}
