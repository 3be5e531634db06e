import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientQuestions } from '../children/clients.ts';
import type { Child } from '../lib/child.ts';
import { untilEqual } from '../lib/eventually.ts';
import type { Peer } from '../lib/peer.ts';
import type { ServerMemory } from '../lib/server-questions.ts';
import { sharedNowUs } from '../lib/shared-clock.ts';
import { median } from '../lib/statistics.ts';

/** The results of a round. */
export interface HoldFigures {
  rssKibPerHeld: number;
  heapKibPerHeld: number;
  /** Percent of one core while nothing happens. */
  idlePercent: number;
  /** Time from one event, for which all clients wait, until the last client has read it. */
  oneEventMs: number;
  /** Time from the first of one event per upload until the last client has read its event. */
  eventEachMs: number;
}

export interface HoldRoundOptions {
  idleSeconds: number;
  /** Directory for a heap profile, or undefined. Its sampling costs time and memory of the server. */
  profile: string | undefined;
}

/** The number of bursts before the measurement, each to a tenth of the clients, so that the code is compiled. */
const WARM_UP_BURSTS = 5;
const WARM_UP_SHARE = 0.1;
const BACK_OFF_MS = 1000;
const KIB = 1024;
const US_PER_MS = 1000;

/** Measures one peer in a new process. */
export async function runHoldRound(
  peer: Peer,
  clients: Child<ClientQuestions>,
  options: HoldRoundOptions,
): Promise<HoldFigures> {
  const all = [...peer.ids.keys()];
  const few = all.slice(0, Math.ceil(all.length * WARM_UP_SHARE));
  for (let count = 0; count < WARM_UP_BURSTS; count += 1) await burst(peer, clients, few, few.length);
  const before = await settledMemory(peer);
  if (options.profile !== undefined) await peer.server.ask('startHeapProfile');
  await holdAll(peer, clients, all);
  const after = await settledMemory(peer);
  if (options.profile !== undefined) await writeProfile(peer, options.profile);
  const idlePercent = await measureIdle(peer, options.idleSeconds);
  const eventEachMs = await release(peer, clients, all.length, all.length);
  const oneEventMs = await burst(
    peer,
    clients,
    all.map(() => 0),
    1,
  );
  return {
    rssKibPerHeld: (after.rss - before.rss) / all.length / KIB,
    heapKibPerHeld: (after.heap - before.heap) / all.length / KIB,
    idlePercent,
    oneEventMs,
    eventEachMs,
  };
}

async function settledMemory({ server }: Peer): Promise<ServerMemory> {
  await server.ask('collect');
  await delay(BACK_OFF_MS);
  return await server.ask('memory');
}

async function writeProfile({ kind, server }: Peer, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await server.ask('stopHeapProfile', join(directory, `held-by-${kind.server}.heapprofile`));
}

async function burst(
  peer: Peer,
  clients: Child<ClientQuestions>,
  uploads: readonly number[],
  events: number,
): Promise<number> {
  await holdAll(peer, clients, uploads);
  return await release(peer, clients, uploads.length, events);
}

/** Holds one client for each slot in `uploads`. */
async function holdAll(
  { kind, ids, ports, server, firing }: Peer,
  clients: Child<ClientQuestions>,
  uploads: readonly number[],
): Promise<void> {
  const present = await firing.ask('ready', ids.length);
  await clients.ask('connect', { ports, ids: uploads.map((slot) => ids[slot] ?? ''), path: kind.path });
  await clients.ask('poll', { versions: uploads.map((slot) => present[slot] ?? 0), repolls: false });
  await untilEqual(`responses held by ${kind.title}`, uploads.length, () => server.ask('held'));
  await delay(BACK_OFF_MS);
}

/** Fires at the first uploads; resolves with the milliseconds until all `held` are read. */
async function release(
  { kind, server, firing }: Peer,
  clients: Child<ClientQuestions>,
  held: number,
  events: number,
): Promise<number> {
  await clients.ask('take');
  const { created } = await firing.ask('fire', { events, from: 0 });
  await untilEqual(`answers of ${kind.title}`, held, () => clients.ask('answered'));
  const { answers } = await clients.ask('take');
  await clients.ask('disconnect');
  await untilEqual(`responses left with ${kind.title}`, 0, () => server.ask('held'));
  const lastUs = answers.reduce((latest, { atUs }) => Math.max(latest, atUs), 0);
  return (lastUs - (created[0]?.atUs ?? Number.NaN)) / US_PER_MS;
}

/**
 * Returns the median second, because V8 collects its heap once after the load, which is not a cost of holding.
 */
async function measureIdle({ server }: Peer, seconds: number): Promise<number> {
  const percents: number[] = [];
  let readUs = await server.ask('cpuUs');
  for (let second = 0; second < seconds; second += 1) {
    const startedAtUs = sharedNowUs();
    await delay(1000);
    const usedUs = (await server.ask('cpuUs')) - readUs;
    readUs += usedUs;
    percents.push((usedUs / (sharedNowUs() - startedAtUs)) * 100);
  }
  return median(percents);
}
