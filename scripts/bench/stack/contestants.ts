import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startServiceProcesses } from '../lib/service-processes.ts';
import type { Session } from '../lib/session.ts';
import type { StackServerQuestions, StackWorkerQuestions } from './questions.ts';

/** A whole stack that takes forms and answers with results. */
export interface Stack {
  /** Name of the peer in the tables. */
  readonly title: string;
  readonly url: string;
  readonly apiPids: readonly number[];
  readonly workerPids: readonly number[];
  end(): Promise<void>;
}

/** Starts the service with default settings. */
export async function startService(session: Session, workers: number, nodeOptions: readonly string[]): Promise<Stack> {
  const options = { workers, apiOptions: nodeOptions, workerOptions: nodeOptions };
  const service = await startServiceProcesses(session, options);
  return {
    title: 'deferred-uploads',
    url: service.api.url,
    apiPids: [service.api.child.pid ?? 0],
    workerPids: service.workers.map(({ child }) => child.pid ?? 0),
    end: service.end,
  };
}

/** Starts a stack of Koa, multer, BullMQ and sharp, with or without the promise of the service. */
export async function startHandWritten(
  session: Session,
  isCareful: boolean,
  workers: number,
  nodeOptions: readonly string[],
): Promise<Stack> {
  const directory = await mkdtemp(join(session.directory, 'stack-'));
  const setup = { redisUrl: session.redisUrl, directory, isCareful };
  const api = session.start<StackServerQuestions>('../stack/children/server', nodeOptions);
  const own = Array.from({ length: workers }, () =>
    session.start<StackWorkerQuestions>('../stack/children/worker', nodeOptions),
  );
  const [port] = await Promise.all([api.ask('start', setup), ...own.map((worker) => worker.ask('start', setup))]);
  return {
    title: isCareful ? 'hand-written, with our promise' : 'hand-written',
    url: `http://127.0.0.1:${port}`,
    apiPids: [api.pid],
    workerPids: own.map(({ pid }) => pid),
    async end() {
      await Promise.all([api, ...own].map((child) => child.end()));
    },
  };
}

/** Returns the pid of a redis-server. */
export async function redisPid(url: string): Promise<number> {
  const redis = new Redis(url);
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  } finally {
    redis.disconnect();
  }
}
