import { available, type Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';
import { STRIKE_SCRIPT } from './waiting-script.ts';

/** Takes a member out, or puts it off, unless it has become due later meanwhile. */
const SETTLE_SCRIPT = `
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
`;

/** The sets that the record's script keeps, as the sweep reads them. */
export class UploadSets {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;

  constructor(connection: Redis, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Uploads that wait for a worker and did so before the time given, oldest first. */
  async waitingBefore(timeMs: number): Promise<string[]> {
    return await available(() => this.#connection.zrangebyscore(this.#keys.waiting, 0, timeMs));
  }

  /**
   * Takes those out that do not wait by their records, and returns them. Since one script keeps set and records, there are
   * such only where somebody else was at work.
   */
  async strikeOut(ids: readonly string[]): Promise<string[]> {
    const keys = this.#keys;
    const reply = await available(() => this.#connection.eval(STRIKE_SCRIPT, 2, keys.waiting, keys.waitingByAddress, keys.record(''), ...ids));
    return Array.isArray(reply) ? reply.map(String) : [];
  }

  /** How many uploads wait for a worker, and since when the first of them; null where none does. */
  async waitingSince(): Promise<{ count: number; oldestAtMs: number | null }> {
    const count = await available(() => this.#connection.zcard(this.#keys.waiting));
    const [, score] = await available(() => this.#connection.zrangebyscore(this.#keys.waiting, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1));
    return { count, oldestAtMs: score === undefined ? null : Math.floor(Number(score)) };
  }

  /** Uploads that somebody has to look after, longest due first. */
  async dueBefore(timeMs: number, limit: number): Promise<string[]> {
    return await available(() => this.#connection.zrangebyscore(this.#keys.due, 0, timeMs, 'LIMIT', 0, limit));
  }

  /** Says that an upload was looked after, for good or until a time. One that was opened anew meanwhile stays as it is. */
  async settle(id: string, dueBeforeMs: number, untilMs?: number): Promise<void> {
    await available(() => this.#connection.eval(SETTLE_SCRIPT, 1, this.#keys.due, id, String(dueBeforeMs), untilMs === undefined ? '' : String(untilMs)));
  }

  /** False where Redis has been emptied, or the last survey of the storage is too long ago. */
  async isSurveyed(): Promise<boolean> {
    return (await available(() => this.#connection.exists(this.#keys.surveyed))) === 1;
  }

  /** To be called at the end of a survey. */
  async markSurveyed(validMs: number): Promise<void> {
    await available(() => this.#connection.set(this.#keys.surveyed, '1', 'PX', validMs));
  }
}
