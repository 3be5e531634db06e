import { setTimeout as delay } from 'node:timers/promises';
import type { ClientQuestions } from '../children/clients.ts';
import type { Child } from '../lib/child.ts';
import { untilEqual } from '../lib/eventually.ts';
import { heldBy, serverCpuUs, type Peer } from '../lib/peer.ts';
import type { Moment } from '../lib/shared-clock.ts';
import { latenciesUs, percentile } from '../lib/statistics.ts';

/** Events of a round, at a rate or as one burst. */
export interface Load {
  events: number;
  /** Events per second. Undefined means that all events come as one burst. */
  perSecond?: number;
}

/** The results of a round. Times are in microseconds. */
export interface RoundFigures {
  p50Us: number;
  p99Us: number;
  /** Processor time for one event and the poll that follows it: of all servers together, and of the other processes. */
  serverUsPerEvent: number;
  firingUsPerEvent: number;
  clientUsPerEvent: number;
  /** Time from the creation of the first event to the creation of the last one. */
  createdUs: number;
  /** Time from the creation of the first event until this percentage of the answers was read. */
  answeredUs: Record<(typeof ANSWERED_SHARES)[number], number>;
}

/** Shares of the answers in percent. Their times show the course of a burst. */
export const ANSWERED_SHARES = [0, 10, 50, 100] as const;

/** Pause after the preparation, until timers, sockets and garbage collection are idle. */
const BACK_OFF_MS = 300;

/** Holds a response per upload, fires, and measures the time from each event until its client has read it. */
export async function runRound(peer: Peer, clients: Child<ClientQuestions>, load: Load): Promise<RoundFigures> {
  // The last events are not timed. They end the held responses.
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
    ...timeline(created, answers),
  };
}

function timeline(created: readonly Moment[], answers: readonly Moment[]) {
  const startUs = Math.min(...created.map(({ atUs }) => atUs));
  const sinceUs = (moments: readonly Moment[]) => moments.map(({ atUs }) => atUs - startUs);
  const answersUs = sinceUs(answers);
  const at = (share: number) => percentile(answersUs, share / 100);
  return { createdUs: Math.max(...sinceUs(created)), answeredUs: { 0: at(0), 10: at(10), 50: at(50), 100: at(100) } };
}

async function holdAll(peer: Peer, clients: Child<ClientQuestions>, events: number): Promise<void> {
  const { kind, ids, ports, firing } = peer;
  const versions = await firing.ask('ready', events);
  await clients.ask('connect', { ports, ids, path: kind.path });
  await clients.ask('poll', { versions, repolls: true });
  await untilEqual(`responses held by ${kind.title}`, ids.length, () => heldBy(peer));
  await delay(BACK_OFF_MS);
}

/** Ends all held responses, so that no peer keeps a client into its next round. */
async function letGo(peer: Peer, clients: Child<ClientQuestions>): Promise<void> {
  const { kind, ids, firing } = peer;
  await clients.ask('stopPolling');
  await firing.ask('fire', { events: ids.length });
  await untilEqual(`last answers of ${kind.title}`, ids.length, () => clients.ask('answered'));
  await clients.ask('disconnect');
  await untilEqual(`responses left with ${kind.title}`, 0, () => heldBy(peer));
}
