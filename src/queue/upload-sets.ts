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

/**
 * The run of the server that answers: another one after each restart or failover, which may have lost the last that it was told.
 * In a script, so that on a cluster the server is asked that has the records.
 *
 * KEYS  1 where the run is kept that was surveyed
 *
 * Returns the run of the server, `untold` where it does not say, and the one that is kept.
 */
const RUN_SCRIPT = `
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
return { run or 'untold', redis.call('GET', KEYS[1]) or '' }
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
    const reply = await available(() =>
      this.#connection.eval(STRIKE_SCRIPT, 2, keys.waiting, keys.waitingByAddress, keys.record(''), ...ids),
    );
    return Array.isArray(reply) ? reply.map(String) : [];
  }

  /** How many uploads wait for a worker, and since when the first of them; null where none does. */
  async waitingSince(): Promise<{ count: number; oldestAtMs: number | null }> {
    const count = await available(() => this.#connection.zcard(this.#keys.waiting));
    const [, score] = await available(() =>
      this.#connection.zrangebyscore(this.#keys.waiting, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1),
    );
    return { count, oldestAtMs: score === undefined ? null : Math.floor(Number(score)) };
  }

  /** Uploads that somebody has to look after, longest due first. */
  async dueBefore(timeMs: number, limit: number): Promise<string[]> {
    return await available(() => this.#connection.zrangebyscore(this.#keys.due, 0, timeMs, 'LIMIT', 0, limit));
  }

  /** Says that an upload was looked after, for good or until a time. One that was opened anew meanwhile stays as it is. */
  async settle(id: string, dueBeforeMs: number, untilMs?: number): Promise<void> {
    await available(() =>
      this.#connection.eval(
        SETTLE_SCRIPT,
        1,
        this.#keys.due,
        id,
        String(dueBeforeMs),
        untilMs === undefined ? '' : String(untilMs),
      ),
    );
  }

  /**
   * What a survey that begins now is to be marked with. Undefined where none is due: Redis is the same since the last one, has not been
   * emptied, and that is not too long ago.
   */
  async surveyDue(): Promise<string | undefined> {
    const reply = await available(() => this.#connection.eval(RUN_SCRIPT, 1, this.#keys.surveyed));
    const [run = '', surveyed = ''] = Array.isArray(reply) ? reply.map(String) : [];
    return run === surveyed ? undefined : run;
  }

  /** To be called at the end of a survey, with what `surveyDue` returned before it. */
  async markSurveyed(run: string, validMs: number): Promise<void> {
    await available(() => this.#connection.set(this.#keys.surveyed, run, 'PX', validMs));
  }
}
