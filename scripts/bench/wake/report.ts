import { BARE, JOB_WAITER, SERVICE, SERVICE_UNTRACED, type PeerKind } from '../lib/peer.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import { ANSWERED_SHARES, type Load, type RoundFigures } from './round.ts';

/** All rounds of one load. */
export interface LoadFigures {
  load: Load;
  peers: { kind: PeerKind; rounds: RoundFigures[] }[];
}

const P50_TARGET = { rate: 1.6, burst: 1.5 };
const P99_TARGET = 3.5;

/**
 * The target for tracing that is off. It must cost nothing that can be measured, but equal processes differ by a few
 * percent.
 */
const UNTRACED_TARGET = 1.05;

const US_PER_MS = 1000;

const TIMELINE_HEADINGS = [
  'ms after the first event',
  'all created',
  ...ANSWERED_SHARES.map((share) => (share === 0 ? 'first answer' : `${share} % answered`)),
];

const HEADINGS = ['', 'p50 µs', 'p99 µs', 'p50 ratio', 'p99 ratio', 'server µs', 'firing µs', 'client µs'];

/** Returns the tables of all loads and the state of the targets. */
export function reportWake(options: { held: number; rounds: number }, figures: readonly LoadFigures[]): string {
  const tables = figures.map(
    (load) => `${titleOf(load, options)}\n${tableOf(load)}\n\n${timelineOf(load)}${formatTargets(targetsOf(load))}`,
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

/** Returns the times of a burst step by step. Empty for events at a rate. */
function timelineOf({ load, peers }: LoadFigures): string {
  if (load.perSecond !== undefined) return '';
  const rows = peers.map(({ kind, rounds }) => {
    const column = (pick: (round: RoundFigures) => number) => figure(median(rounds.map(pick)) / US_PER_MS, 1);
    return [
      kind.title,
      column(({ createdUs }) => createdUs),
      ...ANSWERED_SHARES.map((share) => column(({ answeredUs }) => answeredUs[share])),
    ];
  });
  return `${formatTable(TIMELINE_HEADINGS, rows)}\n\n`;
}

function targetsOf({ load, peers }: LoadFigures) {
  const service = roundsOf(peers, SERVICE);
  const ratio = (pick: (round: RoundFigures) => number, to: PeerKind) =>
    medianRatio(service.map(pick), roundsOf(peers, to).map(pick));
  return [
    {
      what: 'p50, service to bare',
      value: ratio(p50, BARE),
      most: load.perSecond === undefined ? P50_TARGET.burst : P50_TARGET.rate,
    },
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
