import { available, type Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';
import { STRIKE_SCRIPT, TIME_FUNCTIONS } from './waiting-script.ts';

/** The first pause of an upload that could not be looked after; each further one is twice as long, up to the most. */
const FIRST_PAUSE_MS = 15_000;
const MOST_PAUSE_MS = 3_600_000;

/** After so long without a further failure it is forgotten how often there were some. */
const FAILURES_KEPT_MS = 24 * 3_600_000;

/**
 * KEYS  1 due set
 * ARGV  1 how many at most
 *
 * Returns the time by the clock of Redis, and the ids of the uploads that are due, longest due first.
 */
const DUE_SCRIPT = `
${TIME_FUNCTIONS}
local now = string.format('%d', nowMs())
return { now, redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, ARGV[1]) }
`;

/**
 * Takes a member out, or sets when it is due next, unless it has become due later meanwhile.
 *
 * KEYS  1 due set, 2 failures in a row
 * ARGV  1 id, 2 the time at which it was due, 3 when it is due next, empty for never
 */
const SETTLE_SCRIPT = `
redis.call('HDEL', KEYS[2], ARGV[1])
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
`;

/**
 * KEYS  1 due set, 2 failures in a row
 * ARGV  1 id, 2 the time at which it was due
 *
 * Returns the pause in ms; 0 for an upload that has become due later meanwhile, which stays as it is.
 */
const PUT_OFF_SCRIPT = `
${TIME_FUNCTIONS}
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
local failures = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[2], ${FAILURES_KEPT_MS})
local pause = math.min(${MOST_PAUSE_MS}, ${FIRST_PAUSE_MS} * 2 ^ math.min(failures - 1, 20))
redis.call('ZADD', KEYS[1], string.format('%d', nowMs() + pause), ARGV[1])
return pause
`;

/**
 * KEYS  1 waiting set, 2 how far it was compared: `newest` is the score of the newest that was, `next` that of the
 *       last one that the round over the older ones has come to
 * ARGV  1 least age in ms, 2 how many of each at most
 *
 * Returns ids, the older ones first.
 */
const COMPARE_SCRIPT = `
${TIME_FUNCTIONS}
local ids = {}
-- Returns the score of the last one that was taken; nil if all were taken.
local function take(from, to)
  local found = redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for index = 1, #found, 2 do ids[#ids + 1] = found[index] end
  return found[#found], #found == 2 * tonumber(ARGV[2])
end
local newest, next = unpack(redis.call('HMGET', KEYS[2], 'newest', 'next'))
if newest then
  local last, isMore = take(next and '(' .. next or '-inf', newest)
  if isMore then redis.call('HSET', KEYS[2], 'next', last) else redis.call('HDEL', KEYS[2], 'next') end
end
local last = take(newest and '(' .. newest or '-inf', string.format('%.3f', nowMs() - ARGV[1]))
if last then redis.call('HSET', KEYS[2], 'newest', last) end
return ids
`;

/** Uploads that are due at one moment. */
export interface DueUploads {
  /** That moment, by the clock of Redis. */
  nowMs: number;
  /** Longest due first. */
  ids: string[];
}

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

  /**
   * The next waiting uploads to be compared with the jobs, of those that have waited for at least `leastAgeMs`: those that
   * came since the last call, and as many of the others, from where the last call stopped; each at most `limit`.
   */
  async waitingToCompare(leastAgeMs: number, limit: number): Promise<string[]> {
    const { waiting, compared } = this.#keys;
    const reply = await available(() =>
      this.#connection.eval(COMPARE_SCRIPT, 2, waiting, compared, String(leastAgeMs), String(limit)),
    );
    return Array.isArray(reply) ? reply.map(String) : [];
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

  /** Uploads that somebody has to look after now, at most `limit`. */
  async due(limit: number): Promise<DueUploads> {
    const reply = await available(() => this.#connection.eval(DUE_SCRIPT, 1, this.#keys.due, String(limit)));
    const [nowMs, ids] = Array.isArray(reply) ? (reply as unknown[]) : [];
    return { nowMs: Number(nowMs), ids: Array.isArray(ids) ? ids.map(String) : [] };
  }

  /**
   * Says that an upload was looked after, for good or until a time by the clock of Redis. An upload that was opened
   * again since `dueBeforeMs` stays as it is.
   */
  async settle(id: string, dueBeforeMs: number, untilMs?: number): Promise<void> {
    const { due, putOff } = this.#keys;
    const until = untilMs === undefined ? '' : String(untilMs);
    await available(() => this.#connection.eval(SETTLE_SCRIPT, 2, due, putOff, id, String(dueBeforeMs), until));
  }

  /**
   * Says that an upload could not be looked after, so that it does not hold up those behind it: it is due again after
   * 15 s, and after twice as long with each failure in a row, up to an hour. Returns the pause in ms; 0 if it was
   * opened again since `dueBeforeMs`, which leaves it as it is.
   */
  async putOff(id: string, dueBeforeMs: number): Promise<number> {
    const { due, putOff } = this.#keys;
    return Number(
      await available(() => this.#connection.eval(PUT_OFF_SCRIPT, 2, due, putOff, id, String(dueBeforeMs))),
    );
  }

  /**
   * What a survey that begins now is to be marked with. Undefined where none is due: Redis is the same since the last one, has not been
   * emptied, that is not too long ago, and no operator waits for one.
   */
  async surveyDue(): Promise<string | undefined> {
    const reply = await available(() => this.#connection.eval(RUN_SCRIPT, 1, this.#keys.surveyed));
    const [run = '', surveyed = ''] = Array.isArray(reply) ? reply.map(String) : [];
    return run === surveyed && !(await this.mayRemove(0)) ? undefined : run;
  }

  /** True if an operator allows the next scan to remove this many uploads. */
  async mayRemove(count: number): Promise<boolean> {
    const permitted = await available(() => this.#connection.get(this.#keys.removalPermit));
    return permitted !== null && Number(permitted) >= count;
  }

  /** The permit counts once: to be called when it was used. */
  async endPermit(): Promise<void> {
    await available(() => this.#connection.del(this.#keys.removalPermit));
  }

  /** To be called at the end of a survey, with what `surveyDue` returned before it. */
  async markSurveyed(run: string, validMs: number): Promise<void> {
    await available(() => this.#connection.set(this.#keys.surveyed, run, 'PX', validMs));
  }
}
