import type { ClientQuestions } from '../children/clients.ts';
import { onInterrupt, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { assertOpenFiles } from '../lib/machine.ts';
import {
  BARE,
  JOB_RESULTS,
  JOB_WAITER,
  SERVICE,
  SERVICE_TARGETED,
  SERVICE_UNTRACED,
  startPeer,
  type Peer,
} from '../lib/peer.ts';
import { withSession } from '../lib/session.ts';
import { reportWake, type LoadFigures } from './report.ts';
import { runRound, type Load } from './round.ts';

const defaults = { held: 1000, rate: 500, events: 2000, rounds: 7 };
const quick = { held: 200, events: 400, rounds: 1 };

/** The number of open files that the process needs besides those of the clients. */
const SPARE_FILES = 200;

/** Measures the time from the creation of an event in a worker process until a waiting client has read it. */
export const wake: Bench<typeof defaults> = {
  name: 'wake',
  summary: 'from an event in a worker process to the client that waits for it, at a rate and in one burst',
  defaults,
  quick,
  async run(options) {
    assertOpenFiles(options.held + SPARE_FILES);
    return await withSession(async (session) => {
      const clients = session.start<ClientQuestions>('clients');
      const peers: Peer[] = [];
      for (const kind of [BARE, SERVICE, JOB_WAITER, SERVICE_TARGETED, JOB_RESULTS, SERVICE_UNTRACED]) {
        say(`starting ${kind.title}, ${options.held} uploads`);
        peers.push(await startPeer(session, kind, options.held, nodeOptionsOf(options)));
      }
      const steady: Load = { events: options.events, perSecond: options.rate };
      const burst: Load = { events: options.held };
      const figures = [steady, burst].map((load) => ({ load, peers: peers.map(({ kind }) => ({ kind, rounds: [] })) }));
      const report = () => reportWake(options, figures);
      onInterrupt(report);
      await runLoads(peers, clients, figures, options.rounds);
      return report();
    });
  },
};

/** Returns the options of Node for the servers. Node names the profiles itself, by time and process. */
function nodeOptionsOf({ serverOptions, profile }: CommonOptions): string[] {
  return [...serverOptions, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])];
}

/** Runs one round to warm up and then the measured rounds. In each, all peers run each load in turn. */
async function runLoads(
  peers: readonly Peer[],
  clients: Child<ClientQuestions>,
  figures: readonly LoadFigures[],
  rounds: number,
): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const { load, peers: measured } of figures) {
      for (const [index, peer] of peers.entries()) {
        const result = await runRound(peer, clients, load);
        if (round > 0) measured[index]?.rounds.push(result);
      }
    }
  }
}
