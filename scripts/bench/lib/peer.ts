import { randomUUID } from 'node:crypto';
import type { FiringQuestions, SourceName } from '../children/firing.ts';
import type { Child } from './child.ts';
import type { ServerQuestions } from './server-questions.ts';
import type { Session } from './session.ts';

/** One of the servers that are compared. */
export interface PeerKind {
  /** As the table calls it. */
  readonly title: string;
  /** Its file in `children/`. */
  readonly server: string;
  readonly source: SourceName;
  /** See `PollTarget.path`. */
  readonly path: string;
  /** For our service alone: its `EVENT_BUS`. */
  readonly eventBus?: 'stream' | 'targeted';
}

const PROGRESS_PATH = '/uploads/{id}/progress?since={version}&timeout=50000';

export const BARE: PeerKind = { title: 'node:http + pub/sub', server: 'bare', source: 'publish', path: PROGRESS_PATH };
export const OURS: PeerKind = { title: 'deferred-uploads', server: 'api', source: 'record', path: PROGRESS_PATH };
export const OURS_TARGETED: PeerKind = { ...OURS, title: 'deferred-uploads, targeted', eventBus: 'targeted' };
export const JOB_WAITER: PeerKind = { title: 'Koa + waitUntilFinished', server: 'job-waiter', source: 'job', path: '/jobs/{id}-{next}' };

/** A server and the process that fires its events, both running. */
export interface Peer {
  readonly kind: PeerKind;
  /** The uploads that are polled, one client each. */
  readonly ids: string[];
  readonly port: number;
  readonly server: Child<ServerQuestions>;
  readonly firing: Child<FiringQuestions>;
  /** Before the session's end. */
  end(): Promise<void>;
}

/** Starts server and firing process, and prepares so many uploads. */
export async function startPeer(session: Session, kind: PeerKind, uploads: number, nodeOptions: readonly string[]): Promise<Peer> {
  const { redisUrl, directory } = session;
  const settings: Record<string, string> = kind.eventBus === undefined ? {} : { EVENT_BUS: kind.eventBus };
  const ids = Array.from({ length: uploads }, () => randomUUID());
  const server = session.start<ServerQuestions>(kind.server, nodeOptions);
  const firing = session.start<FiringQuestions>('firing');
  const [port] = await Promise.all([
    server.ask('start', { redisUrl, directory, maxHeld: 2 * uploads, settings }),
    firing.ask('open', { source: kind.source, redisUrl, ids, settings }),
  ]);
  return {
    kind, ids, port, server, firing,
    async end() {
      await Promise.all([server.end(), firing.end()]);
    },
  };
}
