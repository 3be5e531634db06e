import type { QueueKeys } from './contract.ts';
import { loadScript } from './load-script.ts';
import { pairCounts } from './upload-sets.ts';

const BACKLOG_SCRIPT = loadScript(new URL('scripts/backlog.lua', import.meta.url));

/** The waiting uploads of the whole installation at one moment. */
export interface BacklogFigures {
  waiting: number;
  /** Number of waiting uploads of the given address; 0 without one. */
  ofAddress: number;
  /** Uploads that leave the waiting set per minute; undefined if none did in the last minute. */
  drainedPerMinute: number | undefined;
}

/** The only Redis command that is needed here. */
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
    const [count = 0, ofAddress = 0, left = 0, seconds = 0] = (await this.#read(address)).map(Number);
    return { waiting: count, ofAddress, drainedPerMinute: left === 0 ? undefined : (left * 60) / seconds };
  }

  /** Returns the number of waiting uploads by kind. Rejects as `read` does. */
  async byKind(): Promise<Map<string, number>> {
    return pairCounts((await this.#read()).slice(4));
  }

  async #read(address = ''): Promise<unknown[]> {
    const { waiting, waitingByAddress, drained, fair } = this.#keys;
    const reply = await this.#store.runScript(BACKLOG_SCRIPT, [waiting, waitingByAddress, drained, fair], [address]);
    return Array.isArray(reply) ? reply : [];
  }
}
