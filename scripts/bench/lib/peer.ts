import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../setup/project-root.mjs';
import type { FiringQuestions, SourceName } from '../children/firing.ts';
import type { Child } from './child.ts';
import type { ServerQuestions } from './server-questions.ts';
import type { Session } from './session.ts';
import { sum } from './statistics.ts';

/** A server in the comparison. */
export interface PeerKind {
  /** Name of the peer in the table. */
  readonly title: string;
  /** File of the peer in `children/`. */
  readonly server: string;
  readonly source: SourceName;
  /** The path to poll, as in `PollTarget.path`. */
  readonly path: string;
  /** Settings besides the defaults. `EVENT_BUS` also affects the bare server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of Node for its servers, besides those of the run. */
  readonly nodeOptions?: readonly string[];
}

/** Options of Node that remove the code that tracing adds while it is off. */
export const WITHOUT_TRACING: readonly string[] = [
  `--import=${pathToFileURL(join(projectRoot, 'scripts/bench/lib/without-tracing.mjs')).href}`,
];

const PROGRESS_PATH = '/uploads/{id}/progress?since={version}&timeout=50000';

export const BARE: PeerKind = { title: 'node:http + pub/sub', server: 'bare', source: 'publish', path: PROGRESS_PATH };
export const KOA: PeerKind = { title: 'Koa + pub/sub', server: 'koa', source: 'publish', path: PROGRESS_PATH };
export const SERVICE: PeerKind = { title: 'deferred-uploads', server: 'api', source: 'record', path: PROGRESS_PATH };
export const SERVICE_TARGETED: PeerKind = {
  ...SERVICE,
  title: 'deferred-uploads, targeted',
  settings: { EVENT_BUS: 'targeted' },
};
export const SERVICE_UNTRACED: PeerKind = {
  ...SERVICE,
  title: 'deferred-uploads, no code of tracing',
  nodeOptions: WITHOUT_TRACING,
};
export const JOB_WAITER: PeerKind = {
  title: 'Koa + waitUntilFinished',
  server: 'job-waiter',
  source: 'job',
  path: '/jobs/{id}-{next}',
};
export const JOB_RESULTS: PeerKind = {
  title: 'deferred-uploads/jobs',
  server: 'jobs',
  source: 'heldJob',
  path: '/jobs/jobs/{id}-{next}/result?timeout=50000',
};

/** The running servers of a peer and the process that fires their events. */
export interface Peer {
  readonly kind: PeerKind;
  /** The polled uploads, with one client each. */
  readonly ids: string[];
  /** The ports of the servers, in the same order. */
  readonly ports: number[];
  readonly servers: readonly Child<ServerQuestions>[];
  /** The first server. */
  readonly server: Child<ServerQuestions>;
  readonly firing: Child<FiringQuestions>;
  /** Ends the processes before the end of the session. */
  end(): Promise<void>;
}

/** Starts the servers (default one) and the firing process, and prepares the uploads. */
export async function startPeer(
  session: Session,
  kind: PeerKind,
  uploads: number,
  nodeOptions: readonly string[],
  processes = 1,
): Promise<Peer> {
  const { redisUrl, directory } = session;
  const settings: Readonly<Record<string, string>> = { ...kind.settings };
  const ids = Array.from({ length: uploads }, () => randomUUID());
  // Each prefix needs a storage of its own.
  const storage = join(directory, settings['QUEUE_PREFIX'] ?? '');
  const startServer = () => session.start<ServerQuestions>(kind.server, [...nodeOptions, ...(kind.nodeOptions ?? [])]);
  const server = startServer();
  const servers = [server, ...Array.from({ length: processes - 1 }, startServer)];
  const firing = session.start<FiringQuestions>('firing');
  const [ports] = await Promise.all([
    Promise.all(
      servers.map((one) => one.ask('start', { redisUrl, directory: storage, maxHeld: 2 * uploads, settings })),
    ),
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

/** Returns the number of responses that all servers of a peer hold now. */
export async function heldBy({ servers }: Pick<Peer, 'servers'>): Promise<number> {
  return sum(await Promise.all(servers.map((server) => server.ask('held'))));
}

/** Returns the processor time of all servers of a peer since their start, in microseconds. */
export async function serverCpuUs({ servers }: Pick<Peer, 'servers'>): Promise<number> {
  return sum(await Promise.all(servers.map((server) => server.ask('cpuUs'))));
}
