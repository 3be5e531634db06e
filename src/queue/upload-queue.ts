import type { Logger } from '../telemetry/log.ts';
import { BullQueues } from './bull-queues.ts';
import { available, type Redis } from './connection.ts';
import { loadScript } from './load-script.ts';
import { OTHER_KIND, queueNameOf, type PermitData, type QueueKeys } from './contract.ts';

const PAUSED_SCRIPT = loadScript(new URL('scripts/paused.lua', import.meta.url));

/** Numbers of jobs in BullMQ's states, over the queues of all kinds. */
export interface JobCounts {
  waiting: number;
  active: number;
  /** Uploads whose next try starts after a pause. BullMQ's own delays are not used: they need the clock of a worker. */
  delayed: number;
}

/** The BullMQ queues of all kinds. Their jobs are permits: each allows a worker to begin one upload of its kind. */
export class UploadQueue {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #queues: BullQueues<PermitData>;

  constructor(connection: Redis, keys: QueueKeys, log: Logger) {
    this.#connection = connection;
    this.#keys = keys;
    this.#queues = new BullQueues(connection, keys, log, { removeOnComplete: true, removeOnFail: true });
  }

  async add(kind: string, data: PermitData = {}): Promise<void> {
    await available(() => this.#queueOf(kind).add('digest', data));
  }

  /** Adds permits. */
  async addMany(kind: string, count: number): Promise<void> {
    const jobs = Array.from({ length: count }, () => ({ name: 'digest', data: {} }));
    await available(() => this.#queueOf(kind).addBulk(jobs));
  }

  /** True if the permit exists, in any state. */
  async has(kind: string, permit: string): Promise<boolean> {
    return (await available(() => this.#connection.exists(this.#queueOf(kind).toKey(permit)))) === 1;
  }

  async counts(): Promise<JobCounts> {
    const kinds = await available(() => this.#connection.smembers(this.#keys.kinds));
    const [delayed, ...perKind] = await available(() =>
      Promise.all([
        this.#connection.eval(PAUSED_SCRIPT, 1, this.#keys.waiting),
        ...[...new Set([OTHER_KIND, ...kinds])].map((kind) => this.#queueOf(kind).getJobCounts('waiting', 'active')),
      ]),
    );
    const sum = (state: string): number => perKind.reduce((total, counts) => total + (counts[state] ?? 0), 0);
    return { waiting: sum('waiting'), active: sum('active'), delayed: Number(delayed) };
  }

  async close(): Promise<void> {
    await this.#queues.close();
  }

  #queueOf(kind: string) {
    return this.#queues.named(queueNameOf(kind));
  }
}
