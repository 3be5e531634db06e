import type { PeerKind } from '../lib/peer.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets, type Target } from '../lib/table.ts';
import type { HoldFigures } from './round.ts';

/** All rounds of a peer: the bare server, then the service, then Koa alone. */
export interface PeerFigures {
  kind: PeerKind;
  rounds: HoldFigures[];
}

const MEMORY_TARGET = 1.1;
const BURST_TARGET = 1.5;
const IDLE_PERCENT_TARGET = 0.5;

const HEADINGS = ['', 'RSS KiB', 'heap KiB', 'idle %', 'one event ms', 'event each ms'];

/** Returns the table and the state of the targets. */
export function reportHold(
  options: { held: number; idle: number; rounds: number },
  peers: readonly PeerFigures[],
): string {
  const rows = peers.map(({ kind, rounds }) => {
    const column = (pick: keyof HoldFigures, digits: number) => figure(medianOf(rounds, pick), digits);
    return [
      kind.title,
      column('rssKibPerHeld', 2),
      column('heapKibPerHeld', 2),
      column('idlePercent', 2),
      column('oneEventMs', 0),
      column('eventEachMs', 0),
    ];
  });
  return [
    `${options.held} held in one process; medians of ${options.rounds} rounds, each with a server of its own`,
    formatTable(HEADINGS, rows),
    '',
    formatTargets(targetsOf(peers)),
    '',
    'KiB are for one held response: RSS as the system counts it, heap what is left after a collection.',
    `idle: % of one core, median of ${options.idle} s; one event: all wait for one upload; event each: one per upload`,
    'both until the last client has read.',
  ].join('\n');
}

function targetsOf(peers: readonly PeerFigures[]): Target[] {
  const [bare, service, koa] = peers.map(({ rounds }) => rounds);
  if (bare === undefined || service === undefined || koa === undefined) return [];
  const ratio = (pick: keyof HoldFigures, to: HoldFigures[]) =>
    medianRatio(
      service.map((round) => round[pick]),
      to.map((round) => round[pick]),
    );
  return [
    { what: 'memory (RSS), service to Koa', value: ratio('rssKibPerHeld', koa), most: MEMORY_TARGET },
    { what: 'memory (heap), service to Koa', value: ratio('heapKibPerHeld', koa), most: MEMORY_TARGET },
    { what: 'idle, % of a core', value: medianOf(service, 'idlePercent'), most: IDLE_PERCENT_TARGET },
    { what: 'one event for all, service to bare', value: ratio('oneEventMs', bare), most: BURST_TARGET },
    { what: 'an event each, service to bare', value: ratio('eventEachMs', bare), most: BURST_TARGET },
  ];
}

function medianOf(rounds: readonly HoldFigures[], pick: keyof HoldFigures): number {
  return median(rounds.map((round) => round[pick]));
}
