import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../../../test/helpers/redis-server.ts';
import { stopOnSignals } from '../../stop-on-signals.ts';
import { printSoFar } from './bench.ts';
import { startChild, type Child, type Questions } from './child.ts';

const EXIT_CODE_INTERRUPTED = 130;

/** The resources of a benchmark, which end with it. */
export interface Session {
  /** URL of a redis-server for this run. */
  readonly redisUrl: string;
  /** Directory for files of this run, which is removed at its end. */
  readonly directory: string;
  start<Q extends Questions<Q>>(
    name: string,
    nodeOptions?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Child<Q>;
}

/** Calls `run` with a session and ends the session when `run` returns, throws or is interrupted. */
export async function withSession<T>(run: (session: Session) => Promise<T>): Promise<T> {
  const releases: (() => Promise<void>)[] = [];
  const opening = openSession(releases);
  let closed: Promise<void> | undefined;
  const close = () =>
    (closed ??= opening.then(
      () => releaseAll(releases),
      () => releaseAll(releases),
    ));
  const giveSignalsBack = printOnSignals(close);
  try {
    return await run(await opening);
  } catch (error) {
    // After an interruption has ended the processes, all questions to them fail.
    if (closed === undefined) throw error;
    return await new Promise<never>(() => undefined);
  } finally {
    await close();
    giveSignalsBack();
  }
}

/**
 * If this process receives a signal to stop, prints the figures so far, calls `close` and exits. The returned function
 * ends this.
 */
export function printOnSignals(close: () => Promise<void> = () => Promise.resolve()): () => void {
  return stopOnSignals({
    async stop() {
      printSoFar();
      await close();
      process.exit(EXIT_CODE_INTERRUPTED);
    },
    kill: () => process.exit(EXIT_CODE_INTERRUPTED),
  });
}

async function openSession(releases: (() => Promise<void>)[]): Promise<Session> {
  const directory = await mkdtemp(join(tmpdir(), 'du-bench-'));
  releases.push(() => rm(directory, { recursive: true, force: true }));
  const redis = await startRedisServer();
  releases.push(() => redis.stop());
  return {
    redisUrl: redis.url,
    directory,
    start<Q extends Questions<Q>>(
      name: string,
      nodeOptions?: readonly string[],
      env?: Readonly<Record<string, string>>,
    ) {
      const child = startChild<Q>(name, nodeOptions, env);
      releases.push(() => child.end());
      return child;
    },
  };
}

/** Releases the last resource first: servers before their Redis, and Redis before its directory. */
async function releaseAll(releases: (() => Promise<void>)[]): Promise<void> {
  for (let release = releases.pop(); release !== undefined; release = releases.pop()) await release();
}
