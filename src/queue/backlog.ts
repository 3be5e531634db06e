import type { QueueKeys } from './contract.ts';
import { loadScript } from './load-script.ts';

const BACKLOG_SCRIPT = loadScript(new URL('scripts/backlog.lua', import.meta.url));

/** What waits for workers, all over the installation, at one moment. */
export interface BacklogFigures {
  waiting: number;
  /** How many of them are the address's that was asked for; 0 where none was. */
  ofAddress: number;
  /** How many uploads a minute have left the waiting set lately; undefined where none has in the last minute. */
  drainedPerMinute: number | undefined;
}

/** The one command that it takes. */
export interface ScriptRunner {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** Reads how much waits and how fast it drains, which Redis keeps for all processes alike. */
export class Backlog {
  readonly #store: ScriptRunner;
  readonly #keys: QueueKeys;

  constructor(store: ScriptRunner, keys: QueueKeys) {
    this.#store = store;
    this.#keys = keys;
  }

  /** Rejects with `service_unavailable` (503) where Redis cannot be asked. */
  async read(address?: string): Promise<BacklogFigures> {
    const { waiting, waitingByAddress, drained } = this.#keys;
    const reply = await this.#store.runScript(BACKLOG_SCRIPT, [waiting, waitingByAddress, drained], [address ?? '']);
    const [count = 0, ofAddress = 0, left = 0, seconds = 0] = Array.isArray(reply) ? reply.map(Number) : [];
    return { waiting: count, ofAddress, drainedPerMinute: left === 0 ? undefined : (left * 60) / seconds };
  }
}
