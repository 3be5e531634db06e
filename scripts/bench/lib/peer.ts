import { randomUUID } from 'node:crypto';
import type { FiringQuestions, SourceName } from '../children/firing.ts';
import type { Child } from './child.ts';
import type { ServerQuestions } from './server-questions.ts';
import type { Session } from './session.ts';
import { sum } from './statistics.ts';

/** One of the servers that are compared. */
export interface PeerKind {
  /** As the table calls it. */
  readonly title: string;
  /** Its file in `children/`. */
  readonly server: string;
  readonly source: SourceName;
  /** See `PollTarget.path`. */
  readonly path: string;
  /** On top of the defaults; `EVENT_BUS` means something to the bare server too. */
  readonly settings?: Readonly<Record<string, string>>;
}

const PROGRESS_PATH = '/uploads/{id}/progress?since={version}&timeout=50000';

export const BARE: PeerKind = { title: 'node:http + pub/sub', server: 'bare', source: 'publish', path: PROGRESS_PATH };
export const OURS: PeerKind = { title: 'deferred-uploads', server: 'api', source: 'record', path: PROGRESS_PATH };
export const OURS_TARGETED: PeerKind = {
  ...OURS,
  title: 'deferred-uploads, targeted',
  settings: { EVENT_BUS: 'targeted' },
};
export const JOB_WAITER: PeerKind = {
  title: 'Koa + waitUntilFinished',
  server: 'job-waiter',
  source: 'job',
  path: '/jobs/{id}-{next}',
};

/** One server or several, and the process that fires their events, all running. */
export interface Peer {
  readonly kind: PeerKind;
  /** The uploads that are polled, one client each. */
  readonly ids: string[];
  /** Of the servers, in their order. */
  readonly ports: number[];
  readonly servers: readonly Child<ServerQuestions>[];
  /** The first of them. */
  readonly server: Child<ServerQuestions>;
  readonly firing: Child<FiringQuestions>;
  /** Before the session's end. */
  end(): Promise<void>;
}

/** Starts servers, one where nothing is said, and firing process, and prepares so many uploads. */
export async function startPeer(
  session: Session,
  kind: PeerKind,
  uploads: number,
  nodeOptions: readonly string[],
  processes = 1,
): Promise<Peer> {
  const { redisUrl, directory } = session;
  const settings = { ...kind.settings };
  const ids = Array.from({ length: uploads }, () => randomUUID());
  const startServer = () => session.start<ServerQuestions>(kind.server, nodeOptions);
  const server = startServer();
  const servers = [server, ...Array.from({ length: processes - 1 }, startServer)];
  const firing = session.start<FiringQuestions>('firing');
  const [ports] = await Promise.all([
    Promise.all(servers.map((one) => one.ask('start', { redisUrl, directory, maxHeld: 2 * uploads, settings }))),
    firing.ask('open', { source: kind.source, redisUrl, ids, settings }),
  ]);
  return {
    kind,
    ids,
    ports,
    servers,
    server,
    firing,
    async end() {
      await Promise.all([...servers, firing].map((child) => child.end()));
    },
  };
}

/** Responses that all servers of a peer hold now. */
export async function heldBy({ servers }: Pick<Peer, 'servers'>): Promise<number> {
  return sum(await Promise.all(servers.map((server) => server.ask('held'))));
}

/** Processor time of all servers of a peer since their start, in microseconds. */
export async function serverCpuUs({ servers }: Pick<Peer, 'servers'>): Promise<number> {
  return sum(await Promise.all(servers.map((server) => server.ask('cpuUs'))));
}
