import { BARE, JOB_WAITER, SERVICE, SERVICE_UNTRACED, type PeerKind } from '../lib/peer.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import type { Load, RoundFigures } from './round.ts';

/** All rounds of one load. */
export interface LoadFigures {
  load: Load;
  peers: { kind: PeerKind; rounds: RoundFigures[] }[];
}

const P50_TARGET = 2.2;
const P99_TARGET = 3.5;

/** Tracing that is off must cost nothing that can be measured. The costs of equal processes differ by a few percent. */
const UNTRACED_TARGET = 1.05;

const HEADINGS = ['', 'p50 µs', 'p99 µs', 'p50 ratio', 'p99 ratio', 'server µs', 'firing µs', 'client µs'];

/** Returns the tables of all loads and the state of the targets. */
export function reportWake(options: { held: number; rounds: number }, figures: readonly LoadFigures[]): string {
  const tables = figures.map(
    (load) => `${titleOf(load, options)}\n${tableOf(load)}\n\n${formatTargets(targetsOf(load))}`,
  );
  const note =
    'Ratios are to the first line, medians over the rounds; server, firing and client µs are processor time ' +
    'for an event and the poll that follows it.';
  return `${tables.join('\n\n')}\n\n${note}`;
}

function titleOf({ load }: LoadFigures, { held, rounds }: { held: number; rounds: number }): string {
  const pace = load.perSecond === undefined ? 'as one burst' : `at ${load.perSecond} a second`;
  return `${held} held, ${load.events} events ${pace}; medians of ${rounds} rounds`;
}

function tableOf({ peers }: LoadFigures): string {
  const reference = roundsOf(peers, BARE);
  const rows = peers.map(({ kind, rounds }) => {
    const column = (pick: (round: RoundFigures) => number) => figure(median(rounds.map(pick)));
    const ratio = (pick: (round: RoundFigures) => number) =>
      figure(medianRatio(rounds.map(pick), reference.map(pick)), 2);
    return [
      kind.title,
      column(p50),
      column(p99),
      ratio(p50),
      ratio(p99),
      column(serverUs),
      column((round) => round.firingUsPerEvent),
      column((round) => round.clientUsPerEvent),
    ];
  });
  return formatTable(HEADINGS, rows);
}

function targetsOf({ peers }: LoadFigures) {
  const service = roundsOf(peers, SERVICE);
  const ratio = (pick: (round: RoundFigures) => number, to: PeerKind) =>
    medianRatio(service.map(pick), roundsOf(peers, to).map(pick));
  return [
    { what: 'p50, service to bare', value: ratio(p50, BARE), most: P50_TARGET },
    { what: 'p99, service to bare', value: ratio(p99, BARE), most: P99_TARGET },
    { what: 'p50, service to waitUntilFinished', value: ratio(p50, JOB_WAITER), most: 1 },
    {
      what: 'server µs, tracing off to no code of it',
      value: ratio(serverUs, SERVICE_UNTRACED),
      most: UNTRACED_TARGET,
    },
  ];
}

function roundsOf(peers: LoadFigures['peers'], wanted: PeerKind): RoundFigures[] {
  return peers.find(({ kind }) => kind === wanted)?.rounds ?? [];
}

function p50(round: RoundFigures): number {
  return round.p50Us;
}

function p99(round: RoundFigures): number {
  return round.p99Us;
}

function serverUs(round: RoundFigures): number {
  return round.serverUsPerEvent;
}
