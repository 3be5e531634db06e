import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../../../test/helpers/redis-server.ts';
import { stopOnSignals } from '../../stop-on-signals.ts';
import { startChild, type Child, type Questions } from './child.ts';

const EXIT_CODE_INTERRUPTED = 130;

/** What a benchmark starts, so that all of it ends with it. */
export interface Session {
  /** Of a redis-server of this run's own. */
  readonly redisUrl: string;
  /** For files of this run; removed with it. */
  readonly directory: string;
  start<Q extends Questions<Q>>(name: string, nodeOptions?: readonly string[]): Child<Q>;
}

/** Gives `run` a session and ends everything of it afterwards, whether it returns, throws or is interrupted. */
export async function withSession(run: (session: Session) => Promise<void>): Promise<void> {
  const releases: (() => Promise<void>)[] = [];
  const opening = openSession(releases);
  let closed: Promise<void> | undefined;
  const close = () =>
    (closed ??= opening.then(
      () => releaseAll(releases),
      () => releaseAll(releases),
    ));
  const giveSignalsBack = stopOnSignals({
    async stop() {
      await close();
      process.exit(EXIT_CODE_INTERRUPTED);
    },
    kill: () => process.exit(EXIT_CODE_INTERRUPTED),
  });
  try {
    await run(await opening);
  } catch (error) {
    // Everything fails that is asked of processes which an interruption has ended.
    if (closed === undefined) throw error;
    await new Promise(() => undefined);
  } finally {
    await close();
    giveSignalsBack();
  }
}

async function openSession(releases: (() => Promise<void>)[]): Promise<Session> {
  const directory = await mkdtemp(join(tmpdir(), 'du-bench-'));
  releases.push(() => rm(directory, { recursive: true, force: true }));
  const redis = await startRedisServer();
  releases.push(() => redis.stop());
  return {
    redisUrl: redis.url,
    directory,
    start<Q extends Questions<Q>>(name: string, nodeOptions?: readonly string[]) {
      const child = startChild<Q>(name, nodeOptions);
      releases.push(() => child.end());
      return child;
    },
  };
}

/** The last first: servers before their Redis, and that before its directory. */
async function releaseAll(releases: (() => Promise<void>)[]): Promise<void> {
  for (let release = releases.pop(); release !== undefined; release = releases.pop()) await release();
}
