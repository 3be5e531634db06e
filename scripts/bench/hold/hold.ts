import type { ClientQuestions } from '../children/clients.ts';
import { onInterrupt, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { assertOpenFiles } from '../lib/machine.ts';
import { BARE, KOA, SERVICE, startPeer, type PeerKind } from '../lib/peer.ts';
import { withSession, type Session } from '../lib/session.ts';
import { reportHold, type PeerFigures } from './report.ts';
import { runHoldRound } from './round.ts';

const defaults = { held: 10_000, idle: 10, rounds: 3 };
const quick = { held: 1000, idle: 3, rounds: 1 };

/** The longest idle time. It must be shorter than 50 s, for which responses are held. */
const MAX_IDLE_SECONDS = 30;

/** The number of open files that the process needs besides those of the clients. */
const SPARE_FILES = 200;

/** Measures the cost of many held responses in one process, and how fast one burst ends them all. */
export const hold: Bench<typeof defaults> = {
  name: 'hold',
  summary: 'memory and idle processor time of many held responses, and the burst that releases them',
  defaults,
  quick,
  async run(options) {
    if (options.idle > MAX_IDLE_SECONDS)
      throw new Error(`--idle is at most ${MAX_IDLE_SECONDS}: longer than that nothing is held`);
    assertOpenFiles(options.held + SPARE_FILES);
    return await withSession(async (session) => {
      const clients = session.start<ClientQuestions>('clients');
      const peers: PeerFigures[] = [BARE, SERVICE, KOA].map((kind) => ({ kind, rounds: [] }));
      const report = () => reportHold(options, peers);
      onInterrupt(report);
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const { kind, rounds } of peers) {
          say(`round ${round} of ${options.rounds}: ${kind.title}`);
          rounds.push(await runFresh(session, clients, kind, options));
        }
      }
      return report();
    });
  },
};

/** Starts a new server for each round, because a process does not return all its memory to the system. */
async function runFresh(
  session: Session,
  clients: Child<ClientQuestions>,
  kind: PeerKind,
  options: typeof defaults & CommonOptions,
) {
  const peer = await startPeer(session, kind, options.held, options.serverOptions);
  const figures = await runHoldRound(peer, clients, { idleSeconds: options.idle, profile: options.profile });
  await peer.end();
  return figures;
}
