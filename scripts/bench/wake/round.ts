import { setTimeout as delay } from 'node:timers/promises';
import type { ClientQuestions } from '../children/clients.ts';
import type { Child } from '../lib/child.ts';
import { untilEqual } from '../lib/eventually.ts';
import { heldBy, serverCpuUs, type Peer } from '../lib/peer.ts';
import { latenciesUs, percentile } from '../lib/statistics.ts';

/** Events of a round: at a rate, or all at once. */
export interface Load {
  events: number;
  /** Undefined is one burst. */
  perSecond?: number;
}

/** What a round has measured, times in microseconds. */
export interface RoundFigures {
  p50Us: number;
  p99Us: number;
  /** Processor time for an event, with the poll that follows: of all servers, and of each of the other processes. */
  serverUsPerEvent: number;
  firingUsPerEvent: number;
  clientUsPerEvent: number;
}

/** For timers, sockets and collections of the preparation to come to rest. */
const REST_MS = 300;

/** Holds a response an upload, fires, and takes the time from each event to the client's read of it. */
export async function runRound(peer: Peer, clients: Child<ClientQuestions>, load: Load): Promise<RoundFigures> {
  // The last events, which nobody times, end what is held then.
  await holdAll(peer, clients, load.events + peer.ids.length);
  const serverUsBefore = await serverCpuUs(peer);
  await clients.ask('take');
  const { created, cpuUs: firingUs } = await peer.firing.ask('fire', load);
  await untilEqual(`answers of ${peer.kind.title}`, load.events, () => clients.ask('answered'));
  const { answers, cpuUs: clientUs } = await clients.ask('take');
  const serverUs = (await serverCpuUs(peer)) - serverUsBefore;
  await letGo(peer, clients);
  const latencies = latenciesUs(created, answers);
  return {
    p50Us: percentile(latencies, 0.5),
    p99Us: percentile(latencies, 0.99),
    serverUsPerEvent: serverUs / load.events,
    firingUsPerEvent: firingUs / load.events,
    clientUsPerEvent: clientUs / load.events,
  };
}

async function holdAll(peer: Peer, clients: Child<ClientQuestions>, events: number): Promise<void> {
  const { kind, ids, ports, firing } = peer;
  const versions = await firing.ask('ready', events);
  await clients.ask('connect', { ports, ids, path: kind.path });
  await clients.ask('poll', { versions, repolls: true });
  await untilEqual(`responses held by ${kind.title}`, ids.length, () => heldBy(peer));
  await delay(REST_MS);
}

/** Has everything answered that is held, so that no peer takes a departed client along into its next round. */
async function letGo(peer: Peer, clients: Child<ClientQuestions>): Promise<void> {
  const { kind, ids, firing } = peer;
  await clients.ask('stopPolling');
  await firing.ask('fire', { events: ids.length });
  await untilEqual(`last answers of ${kind.title}`, ids.length, () => clients.ask('answered'));
  await clients.ask('disconnect');
  await untilEqual(`responses left with ${kind.title}`, 0, () => heldBy(peer));
}
