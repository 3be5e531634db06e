import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type Job } from 'bullmq';
import type { Redis } from '../src/queue/connection.ts';
import { queueNameOf, type PermitData, type QueueKeys } from '../src/queue/contract.ts';
import type { Logger } from '../src/telemetry/log.ts';
import { queuesInUse } from './queues-in-use.ts';
import { StalledChecks } from './stalled-checks.ts';
import { blockSeconds, NO_STALL_LIMIT, type WorkerTiming } from './worker-timing.ts';

/** Pause after Redis has rejected a command, for example because its memory is full or because it is a replica now. */
const ERROR_PAUSE_MS = 1_000;

/** A permit that this process holds. */
export interface HeldPermit {
  readonly kind: string;
  readonly id: string;
  readonly data: PermitData;
}

interface PermitLoopParts {
  connection: Redis;
  keys: Pick<QueueKeys, 'bullPrefix'>;
  /** The kinds whose permits are taken. */
  kinds: readonly string[];
  concurrency: number;
  timing: WorkerTiming;
  /** Uses a permit. `back` puts it back into the queue. Must not reject. */
  run: (permit: HeldPermit) => Promise<'used' | 'back'>;
  /** Called with the ids of permits whose locks have expired. Another worker may have them. */
  onLocksLost: (ids: readonly string[]) => void;
  log: Logger;
}

/** A queue with its kind, and the running wait for its next permit. */
interface Source {
  readonly kind: string;
  readonly worker: Worker<PermitData>;
  wait: Promise<void> | undefined;
}

/**
 * Takes permits from the queues of several kinds, in turn, and runs at most `concurrency` of them at the same time.
 * BullMQ's own loop serves one queue, so only its fetching, its locks and its script for stalled jobs are used.
 */
export class PermitLoop {
  readonly #parts: PermitLoopParts;
  readonly #sources: readonly Source[];
  readonly #stalledChecks: StalledChecks<Worker<PermitData>>;
  /** Permits whose locks this process has. */
  readonly #held = new Map<Job<PermitData>, Source>();
  /** The number of places in use. A used permit frees its place before it is removed from Redis. */
  #inUse = 0;
  readonly #closing = new AbortController();
  #pauses = 0;
  #turn = 0;
  #tokens = 0;
  #change = newChange();
  #loop: Promise<void> = Promise.resolve();
  /** The timer that renews the locks. It exists while permits are held. */
  #renewal: NodeJS.Timeout | undefined;

  constructor(parts: PermitLoopParts) {
    this.#parts = parts;
    this.#sources = parts.kinds.map((kind) => ({ kind, worker: this.#openWorker(kind), wait: undefined }));
    const workers = this.#sources.map(({ worker }) => worker);
    this.#stalledChecks = new StalledChecks({
      inUse: async () => await queuesInUse(parts.connection, workers),
      check: async (worker) => void (await worker.backend.moveStalledJobsToWait()),
      periodMs: parts.timing.stalledCheckMs,
      log: parts.log,
    });
  }

  /** Begins to take permits. Resolves when Redis is available. */
  async start(): Promise<void> {
    await Promise.all(this.#sources.map(({ worker }) => worker.waitUntilReady()));
    this.#stalledChecks.start();
    this.#loop = this.#run();
  }

  /** Takes no more permits until `resume` was called as often as `pause`. Running ones continue. */
  pause(): void {
    this.#pauses += 1;
  }

  resume(): void {
    this.#pauses -= 1;
    this.#notify();
  }

  /** Takes no more permits, waits for the running ones, and closes the connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#notify();
    await this.#loop;
    while (this.#held.size > 0) await this.#change.promise;
    await this.#stalledChecks.close();
    await Promise.all(this.#sources.map(closeSource));
  }

  get #mayTake(): boolean {
    return !this.#closing.signal.aborted && this.#pauses === 0 && this.#inUse < this.#parts.concurrency;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const { promise } = this.#change;
      try {
        if (this.#mayTake && (await this.#takeOne())) continue;
        await promise;
      } catch (error) {
        this.#parts.log.debug({ err: error }, 'no permit taken');
        await delay(ERROR_PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /**
   * Takes a permit: tries each queue once, beginning after the queue of the last permit. Begins to wait for the permits
   * of empty queues. Returns false if all are empty.
   */
  async #takeOne(): Promise<boolean> {
    for (let tried = 0; tried < this.#sources.length; tried += 1) {
      const source = this.#sources[this.#turn % this.#sources.length];
      this.#turn += 1;
      // This queue was empty, and its next permit ends the wait.
      if (source === undefined || source.wait !== undefined) continue;
      const job = await source.worker.getNextJob(this.#newToken(), { block: false });
      if (job !== undefined) {
        this.#begin(source, job);
        return true;
      }
      source.wait = this.#waitFor(source);
    }
    return false;
  }

  /** Waits for the next permit of one queue, for up to a minute. Ends without one if no more may be taken. */
  async #waitFor(source: Source): Promise<void> {
    try {
      let job: Job<PermitData> | undefined;
      do job = await source.worker.getNextJob(this.#newToken(), { block: true });
      while (job === undefined && this.#mayTake);
      if (job !== undefined) this.#begin(source, job);
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'no permit taken');
      await delay(ERROR_PAUSE_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    } finally {
      source.wait = undefined;
      this.#notify();
    }
  }

  #begin(source: Source, job: Job<PermitData>): void {
    // A blocking read may return a permit although all places are in use or the loop is paused. Such a permit is put
    // back.
    const runs = this.#mayTake;
    this.#held.set(job, source);
    this.#renewal ??= setInterval(() => void this.#renewLocks(), this.#parts.timing.lockMs / 4);
    this.#inUse += 1;
    void this.#finish(source, job, runs ? this.#parts.run(permitOf(source, job)) : Promise.resolve('back' as const));
  }

  async #finish(source: Source, job: Job<PermitData>, outcome: Promise<'used' | 'back'>): Promise<void> {
    const token = job.token ?? '';
    let isUsed = false;
    try {
      isUsed = (await outcome) === 'used';
      // A place is freed early, so that the next permit is fetched while this one is removed. That would not help for a
      // permit that is put back, because it may itself be the next one.
      if (isUsed) this.#freePlace();
      if (isUsed) await job.moveToCompleted(undefined, token, false);
      else await job.moveToWait(token);
    } catch (error) {
      // The lock of the permit has expired or is about to. BullMQ then gives the permit to another worker.
      this.#parts.log.debug({ err: error, kind: source.kind }, 'permit neither removed nor put back');
    } finally {
      this.#held.delete(job);
      if (this.#held.size === 0) this.#stopRenewal();
      if (isUsed) this.#notify();
      else this.#freePlace();
    }
  }

  #stopRenewal(): void {
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  }

  #freePlace(): void {
    this.#inUse -= 1;
    this.#notify();
  }

  async #renewLocks(): Promise<void> {
    for (const source of this.#sources) {
      const jobs = [...this.#held].flatMap(([job, of]) => (of === source ? [job] : []));
      if (jobs.length === 0) continue;
      const ids = jobs.map(({ id }) => id ?? '');
      const tokens = jobs.map(({ token }) => token ?? '');
      try {
        const lost = await source.worker.extendJobLocks(ids, tokens, this.#parts.timing.lockMs);
        if (lost.length > 0) this.#parts.onLocksLost(lost);
      } catch (error) {
        this.#parts.log.debug({ err: error, kind: source.kind }, 'locks not renewed');
      }
    }
  }

  #openWorker(kind: string): Worker<PermitData> {
    const { connection, keys, timing, log } = this.#parts;
    const worker = new Worker<PermitData>(queueNameOf(kind), null, {
      connection,
      prefix: keys.bullPrefix,
      lockDuration: timing.lockMs,
      drainDelay: blockSeconds(connection),
      skipStalledCheck: true,
      // Of all processes, one runs the check in each period.
      stalledInterval: timing.stalledCheckMs,
      maxStalledCount: NO_STALL_LIMIT,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on('error', (error) => log.debug({ reason: error.message, kind }, 'worker connection error'));
    return worker;
  }

  #newToken(): string {
    return `${this.#sources[0]?.worker.id ?? ''}:${this.#tokens++}`;
  }

  #notify(): void {
    const { resolve } = this.#change;
    this.#change = newChange();
    resolve();
  }
}

/** Something that the loop waits for. */
interface Change {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function newChange(): Change {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function permitOf({ kind }: Source, { id, data }: Job<PermitData>): HeldPermit {
  return { kind, id: id ?? '', data };
}

async function closeSource({ worker, wait }: Source): Promise<void> {
  const closed = worker.close();
  // A blocking read would delay the end by up to a minute.
  await worker.backend.disconnectBlocking(true);
  await Promise.all([closed, wait]);
}
