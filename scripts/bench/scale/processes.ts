import type { ClientQuestions } from '../children/clients.ts';
import { onInterrupt, say } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { BARE, SERVICE, SERVICE_TARGETED, startPeer, type Peer, type PeerKind } from '../lib/peer.ts';
import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import { runRound, type Load, type RoundFigures } from '../wake/round.ts';
import type { Part, ScaleOptions } from './lib/part.ts';

const PROCESS_COUNTS = [1, 4, 16];
const SECONDS = 2;
const P50_TARGET = 1.5;

/** The kinds of peers. Each has its own prefix, because only the processes of one installation read its stream. */
const KINDS: readonly PeerKind[] = [
  { ...BARE, settings: { EVENT_BUS: 'targeted' } },
  { ...SERVICE_TARGETED, title: 'targeted', settings: { EVENT_BUS: 'targeted', QUEUE_PREFIX: 'targeted' } },
  { ...SERVICE, title: 'stream', settings: { EVENT_BUS: 'stream', QUEUE_PREFIX: 'stream' } },
];

const HEADINGS = ['', 'p50 µs', 'p99 µs', 'p50 ratio', 'p99 ratio', 'all APIs, µs an event', 'firing µs'];

interface Measured {
  kind: PeerKind;
  rounds: RoundFigures[];
}

/** Measures the wake latency with clients on several API processes. */
export const processes: Part = {
  name: 'processes',
  summary: 'from an event to the client that waits for it, with clients on 1, 4 and 16 API processes',
  async run(session, options) {
    const clients = session.start<ClientQuestions>('clients');
    const figures: { count: number; measured: Measured[] }[] = [];
    const title = `${options.held} held polls over all API processes, ${options.rate} events/s; medians of ${options.rounds} rounds, ratios to line 1`;
    const report = () => [title, ...figures.map(tableOf)].join('\n\n');
    onInterrupt(report);
    for (const count of PROCESS_COUNTS) {
      say(`${count} API processes of each kind`);
      const peers = await Promise.all(
        KINDS.map((kind) => startPeer(session, kind, options.held, options.serverOptions, count)),
      );
      const measured: Measured[] = KINDS.map((kind) => ({ kind, rounds: [] }));
      figures.push({ count, measured });
      await runRounds(peers, clients, options, measured);
      await Promise.all(peers.map((peer) => peer.end()));
    }
    return report();
  },
};

async function runRounds(
  peers: readonly Peer[],
  clients: Child<ClientQuestions>,
  options: ScaleOptions,
  measured: readonly Measured[],
): Promise<void> {
  const load: Load = { events: options.rate * SECONDS, perSecond: options.rate };
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [index, peer] of peers.entries()) {
      const figures = await runRound(peer, clients, load);
      // The first round compiles the code.
      if (round > 0) measured[index]?.rounds.push(figures);
    }
  }
}

function tableOf({ count, measured }: { count: number; measured: readonly Measured[] }): string {
  const bare = measured[0]?.rounds ?? [];
  const p50 = (round: RoundFigures) => round.p50Us;
  const p99 = (round: RoundFigures) => round.p99Us;
  const ratio = (rounds: readonly RoundFigures[], pick: (round: RoundFigures) => number) =>
    medianRatio(rounds.map(pick), bare.map(pick));
  const rows = measured.map(({ kind, rounds }) => [
    kind.title,
    figure(median(rounds.map(p50))),
    figure(median(rounds.map(p99))),
    figure(ratio(rounds, p50), 2),
    figure(ratio(rounds, p99), 2),
    figure(median(rounds.map((round) => round.serverUsPerEvent))),
    figure(median(rounds.map((round) => round.firingUsPerEvent))),
  ]);
  const targeted = measured[1]?.rounds ?? [];
  const target = {
    what: `${count} API processes: p50, targeted to bare`,
    value: ratio(targeted, p50),
    most: P50_TARGET,
  };
  return `${count} API processes\n${formatTable(HEADINGS, rows)}\n${formatTargets([target])}`;
}
