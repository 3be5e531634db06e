import { untilEqual } from '../../lib/eventually.ts';
import type { Child } from '../../lib/child.ts';
import type { Session } from '../../lib/session.ts';
import type { ProducerQuestions, WorkerQuestions } from './questions.ts';

/** A producer and a worker with their own queue. */
export interface Contestant {
  readonly title: string;
  /** Files in `children/`. */
  readonly producer: string;
  readonly worker: string;
  /** Factor for the number of jobs, so that a round takes as long as with the others. */
  readonly times: number;
  /** Number of progress reports of each plain job. */
  readonly updates: number;
}

/** A peer that uses only BullMQ. */
export const BARE_JOBS: Contestant = {
  title: 'bare BullMQ',
  producer: 'job-producer',
  worker: 'bare-worker',
  times: 5,
  updates: 0,
};
/** A peer that reports progress with BullMQ only, without a record. */
export const REPORTING_JOBS: Contestant = {
  title: 'bare BullMQ, ten updates of progress each',
  producer: 'job-producer',
  worker: 'bare-worker',
  times: 1,
  updates: 10,
};
/** A peer of records, queue and the real worker process, without HTTP and without storing uploads. */
export const UPLOADS: Contestant = {
  title: 'deferred-uploads',
  producer: 'upload-producer',
  worker: 'worker',
  times: 1,
  updates: 0,
};

/** A running producer and its workers. */
export interface Team {
  readonly contestant: Contestant;
  readonly producer: Child<ProducerQuestions>;
  readonly workers: readonly Child<WorkerQuestions>[];
}

/** Number of jobs that each worker process runs at the same time. */
export const CONCURRENCY = 10;

/** Starts a producer and its workers. Resolves when all workers take jobs. */
export async function startTeam(
  session: Session,
  contestant: Contestant,
  count: number,
  nodeOptions: readonly string[],
): Promise<Team> {
  const { redisUrl, directory } = session;
  const producer = session.start<ProducerQuestions>(`../scale/children/${contestant.producer}`);
  const workers = startWorkers(session, contestant.worker, count, nodeOptions);
  const place = { redisUrl, directory, updates: contestant.updates };
  await producer.ask('open', place);
  await Promise.all(workers.map((worker) => worker.ask('start', { ...place, concurrency: CONCURRENCY, settings: {} })));
  await untilEqual(`workers of ${contestant.title}`, count, () => producer.ask('workers'));
  return { contestant, producer, workers };
}

function startWorkers(
  session: Session,
  name: string,
  count: number,
  nodeOptions: readonly string[],
): Child<WorkerQuestions>[] {
  return Array.from({ length: count }, () => session.start<WorkerQuestions>(`../scale/children/${name}`, nodeOptions));
}

/** Ends all processes of a team. */
export async function endTeam({ producer, workers }: Team): Promise<void> {
  await Promise.all([producer, ...workers].map((child) => child.end()));
}

/** Returns the processor time of all workers in microseconds. */
export async function workersCpuUs({ workers }: Pick<Team, 'workers'>): Promise<number> {
  const spent = await Promise.all(workers.map((worker) => worker.ask('cpuUs')));
  return spent.reduce((sum, one) => sum + one, 0);
}
