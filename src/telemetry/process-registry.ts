import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProcessReport } from '../wire/documents.ts';
import type { Logger } from './log.ts';
import { available, type Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import type { RedisClock } from '../queue/redis-clock.ts';
import { settleWithin } from '../server/shutdown.ts';
import { VERSION } from '../version.ts';

const PERIOD_MS = 3_000;

/** Two periods may be missed, as in a long pause of the process. */
const TTL_MS = 10_000;

/** A Redis that is gone is not told. */
const LEAVE_LIMIT_MS = 1_000;

/** The set forgets by then who died without a word. */
const FORGET_MS = 60_000;

/** What a process has to tell that is not the same all its life. */
export type ProcessStatus = Pick<ProcessReport, 'held' | 'running' | 'pausedBy' | 'lastMinute' | 'wake'>;

/** What a process tells of itself with. */
export interface HeartbeatParts {
  connection: Redis;
  keys: QueueKeys;
  /** The same clock in all processes: what one writes, the others let run out. */
  clock: Pick<RedisClock, 'nowMs'>;
  log: Logger;
}

/**
 * Tells the others that this process is there, and what it is at: every few seconds four small commands, under keys
 * that run out by themselves. Nobody decides anything by it; it is for people to look at.
 */
export class Heartbeat {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #clock: HeartbeatParts['clock'];
  readonly #log: Logger;
  readonly #status: () => ProcessStatus | Promise<ProcessStatus>;
  readonly #self: Omit<ProcessReport, keyof ProcessStatus>;
  readonly #onReady = (): void => void this.beat();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  constructor(
    role: ProcessReport['role'],
    parts: HeartbeatParts,
    status: () => ProcessStatus | Promise<ProcessStatus>,
  ) {
    this.#connection = parts.connection;
    this.#keys = parts.keys;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#status = status;
    this.#self = {
      id: randomUUID(),
      role,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      startedAt: new Date().toISOString(),
    };
  }

  /** From now until `close`; at once where Redis is there, and whenever it comes back. */
  start(): void {
    this.#timer = setInterval(() => void this.beat(), PERIOD_MS).unref();
    this.#connection.on('ready', this.#onReady);
    void this.beat();
  }

  /** Never rejects: while Redis is away there is nobody to tell, and later the news is newer. */
  async beat(): Promise<void> {
    this.#beating ??= this.#beat()
      .catch((error: unknown) => this.#log.debug({ err: error }, 'heartbeat not sent'))
      .finally(() => (this.#beating = undefined));
    await this.#beating;
  }

  /** Takes its leave where Redis can be told; the keys run out otherwise. The connection stays the caller's. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#connection.off('ready', this.#onReady);
    await settleWithin(this.#leave(), LEAVE_LIMIT_MS);
  }

  async #leave(): Promise<void> {
    // What is under way would bring back what is taken out.
    await this.#beating;
    if (this.#connection.status !== 'ready') return;
    const { id } = this.#self;
    await this.#connection.multi().del(this.#keys.process(id)).zrem(this.#keys.processes, id).exec();
  }

  async #beat(): Promise<void> {
    if (this.#connection.status !== 'ready') return;
    const { id } = this.#self;
    const report: ProcessReport = { ...this.#self, ...(await this.#status()) };
    const nowMs = Math.floor(this.#clock.nowMs());
    await this.#connection
      .multi()
      .set(this.#keys.process(id), JSON.stringify(report), 'PX', TTL_MS)
      .zadd(this.#keys.processes, nowMs, id)
      .zremrangebyscore(this.#keys.processes, '-inf', nowMs - FORGET_MS)
      .pexpire(this.#keys.processes, FORGET_MS)
      .exec();
  }
}

/** How many worker processes have told of themselves lately. Rejects with `service_unavailable` (503). */
export async function countWorkers(connection: Redis, keys: QueueKeys): Promise<number> {
  return (await readProcesses(connection, keys)).filter(({ role }) => role === 'worker').length;
}

/** The number of live workers that take no jobs now. Rejects with `service_unavailable` (503). */
export async function countPausedWorkers(connection: Redis, keys: QueueKeys): Promise<number> {
  return (await readProcesses(connection, keys)).filter(({ pausedBy }) => pausedBy === 'storage').length;
}

/** The processes that have told of themselves lately: API first, then by host and pid. Rejects with `service_unavailable` (503). */
export async function readProcesses(connection: Redis, keys: QueueKeys): Promise<ProcessReport[]> {
  const ids = await available(() => connection.zrangebyscore(keys.processes, '-inf', '+inf'));
  if (ids.length === 0) return [];
  const texts = await available(() => connection.mget(ids.map((id) => keys.process(id))));
  // Written by this service alone, so their JSON is what its type says.
  const reports = texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as ProcessReport]));
  return reports.sort((a, b) => a.role.localeCompare(b.role) || a.host.localeCompare(b.host) || a.pid - b.pid);
}
