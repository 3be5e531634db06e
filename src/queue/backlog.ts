import type { QueueKeys } from './contract.ts';
import { loadScript } from './load-script.ts';

const BACKLOG_SCRIPT = loadScript(new URL('scripts/backlog.lua', import.meta.url));

/** The waiting uploads of the whole installation at one moment. */
export interface BacklogFigures {
  waiting: number;
  /** Number of waiting uploads of the given address; 0 without one. */
  ofAddress: number;
  /** Uploads that leave the waiting set per minute; undefined if none did in the last minute. */
  drainedPerMinute: number | undefined;
}

/** The only command needed. */
export interface ScriptRunner {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** Reads how many uploads wait and how fast they drain. Redis counts for all processes. */
export class Backlog {
  readonly #store: ScriptRunner;
  readonly #keys: QueueKeys;

  constructor(store: ScriptRunner, keys: QueueKeys) {
    this.#store = store;
    this.#keys = keys;
  }

  /** Rejects with `service_unavailable` (503) if Redis is away. */
  async read(address?: string): Promise<BacklogFigures> {
    const { waiting, waitingByAddress, drained } = this.#keys;
    const reply = await this.#store.runScript(BACKLOG_SCRIPT, [waiting, waitingByAddress, drained], [address ?? '']);
    const [count = 0, ofAddress = 0, left = 0, seconds = 0] = Array.isArray(reply) ? reply.map(Number) : [];
    return { waiting: count, ofAddress, drainedPerMinute: left === 0 ? undefined : (left * 60) / seconds };
  }
}
