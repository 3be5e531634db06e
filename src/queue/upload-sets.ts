import { available, type Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';
import { loadScript } from './load-script.ts';

const script = (name: string): string => loadScript(new URL(`scripts/${name}.lua`, import.meta.url));

const STRIKE_SCRIPT = script('strike');
const DUE_SCRIPT = script('due');
const SETTLE_SCRIPT = script('settle');
const PUT_OFF_SCRIPT = script('put-off');
const COMPARE_SCRIPT = script('compare');
const RUN_SCRIPT = script('run');

/** Uploads that are due at one moment. */
export interface DueUploads {
  /** That moment, by the clock of Redis. */
  nowMs: number;
  /** Longest due first. */
  ids: string[];
}

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
  async reconciliationDue(): Promise<string | undefined> {
    const reply = await available(() => this.#connection.eval(RUN_SCRIPT, 1, this.#keys.reconciled));
    const [run = '', reconciled = ''] = Array.isArray(reply) ? reply.map(String) : [];
    return run === reconciled && !(await this.mayRemove(0)) ? undefined : run;
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

  /** To be called at the end of a survey, with what `reconciliationDue` returned before it. */
  async markReconciled(run: string, validMs: number): Promise<void> {
    await available(() => this.#connection.set(this.#keys.reconciled, run, 'PX', validMs));
  }
}
