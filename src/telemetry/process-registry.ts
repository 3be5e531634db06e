import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProcessReport } from '../wire/documents.ts';
import type { Logger } from './log.ts';
import { available, type Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { loadScript } from '../queue/load-script.ts';
import { waitAtMost } from '../server/shutdown.ts';
import { VERSION } from '../version.ts';
import { every } from './shared-timer.ts';

const PERIOD_MS = 3_000;

/** Life of an entry. A process stays listed after two missed heartbeats, for example during a long pause. */
const TTL_MS = 10_000;

/** Removing the entry takes at most this time, because Redis may be away. */
const REMOVE_LIMIT_MS = 1_000;

/**
 * Ids of processes that ended without removing themselves leave the set after this time. The files of such a process
 * must be old enough by then for the reconciliation scan to remove them.
 */
const FORGET_MS = 70_000;

/** The set lives this long without any process, so that the next one sees which others have ended. */
const SET_TTL_MS = 24 * 3_600_000;

const HEARTBEAT_SCRIPT = loadScript(new URL('../queue/scripts/heartbeat.lua', import.meta.url));

/** The part of a report that changes during the life of a process. */
export type ProcessStatus = Pick<
  ProcessReport,
  'held' | 'running' | 'pausedBy' | 'lastMinute' | 'wake' | 'lastHour' | 'failures'
>;

interface HeartbeatParts {
  connection: Redis;
  keys: QueueKeys;
  log: Logger;
}

/**
 * Writes a report of this process to Redis every 3 seconds. The entry expires after 10 seconds. The reports are only
 * shown to operators. If an API process ends without removing its entry, a reconciliation scan is due 70 seconds later.
 */
export class Heartbeat {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #log: Logger;
  readonly #status: () => ProcessStatus | Promise<ProcessStatus>;
  readonly #self: Omit<ProcessReport, keyof ProcessStatus>;
  readonly #onReady = (): void => void this.beat();
  #stopTimer = (): void => undefined;
  #beating: Promise<void> | undefined;

  constructor(
    role: ProcessReport['role'],
    parts: HeartbeatParts,
    status: () => ProcessStatus | Promise<ProcessStatus>,
  ) {
    this.#connection = parts.connection;
    this.#keys = parts.keys;
    this.#log = parts.log;
    this.#status = status;
    this.#self = {
      id: `${role}-${randomUUID()}`,
      role,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      startedAt: new Date().toISOString(),
    };
  }

  /** Sends heartbeats until `close`: now, every 3 seconds, and each time Redis is back. */
  start(): void {
    this.#stopTimer = every(PERIOD_MS, () => void this.beat());
    this.#connection.on('ready', this.#onReady);
    void this.beat();
  }

  /** Sends one heartbeat. Never rejects: if Redis is away, the next heartbeat replaces this one. */
  async beat(): Promise<void> {
    this.#beating ??= this.#beat()
      .catch((error: unknown) => this.#log.debug({ err: error }, 'heartbeat not sent'))
      .finally(() => (this.#beating = undefined));
    await this.#beating;
  }

  /** Stops and removes the entry. If Redis is away, the entry expires. The caller closes the connection. */
  async close(): Promise<void> {
    this.#stopTimer();
    this.#connection.off('ready', this.#onReady);
    await waitAtMost(this.#remove(), REMOVE_LIMIT_MS);
  }

  async #remove(): Promise<void> {
    // A running heartbeat would write the entry again after its removal.
    await this.#beating;
    if (this.#connection.status !== 'ready') return;
    const { id } = this.#self;
    await this.#connection.multi().del(this.#keys.process(id)).zrem(this.#keys.processes, id).exec();
  }

  async #beat(): Promise<void> {
    if (this.#connection.status !== 'ready') return;
    const { id } = this.#self;
    const report: ProcessReport = { ...this.#self, ...(await this.#status()) };
    const keys = [this.#keys.process(id), this.#keys.processes, this.#keys.reconciled];
    const timesMs = [TTL_MS, FORGET_MS, SET_TTL_MS];
    await this.#connection.eval(HEARTBEAT_SCRIPT, keys.length, ...keys, id, JSON.stringify(report), ...timesMs);
  }
}

/** Counts the worker processes with a recent heartbeat. Rejects with `service_unavailable` (503). */
export async function countWorkers(connection: Redis, keys: QueueKeys): Promise<number> {
  return (await readProcesses(connection, keys)).filter(({ role }) => role === 'worker').length;
}

/** Returns the number of live workers that take no jobs now. Rejects with `service_unavailable` (503). */
export async function countPausedWorkers(connection: Redis, keys: QueueKeys): Promise<number> {
  return (await readProcesses(connection, keys)).filter(({ pausedBy }) => pausedBy === 'storage').length;
}

/** Reads the processes with a recent heartbeat, API processes first. Rejects with `service_unavailable` (503). */
export async function readProcesses(connection: Redis, keys: QueueKeys): Promise<ProcessReport[]> {
  const ids = await available(() => connection.zrangebyscore(keys.processes, '-inf', '+inf'));
  if (ids.length === 0) return [];
  const texts = await available(() => connection.mget(ids.map((id) => keys.process(id))));
  // Only this service writes these keys, so the JSON has this type.
  const reports = texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as ProcessReport]));
  return reports.sort((a, b) => a.role.localeCompare(b.role) || a.host.localeCompare(b.host) || a.pid - b.pid);
}
