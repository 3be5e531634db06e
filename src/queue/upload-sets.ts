import { available, type Redis } from './connection.ts';
import { QUEUE_NAME, type QueueKeys } from './contract.ts';
import { loadScript } from './load-script.ts';

const script = (name: string): string => loadScript(new URL(`scripts/${name}.lua`, import.meta.url));

const AUDIT_SCRIPT = script('audit');
const PERMITS_SCRIPT = script('permits');
const DUE_SCRIPT = script('due');
const MARK_HANDLED_SCRIPT = script('mark-handled');
const PUT_OFF_SCRIPT = script('put-off');
const RUN_SCRIPT = script('run');
const MARK_RECONCILED_SCRIPT = script('mark-reconciled');

/** The due uploads at one moment. */
interface DueUploads {
  /** The moment of the reading, by Redis' clock. */
  nowMs: number;
  /** The due uploads. The longest due upload comes first. */
  ids: string[];
}

/** A reconciliation scan that is due. */
export interface DueReconciliation {
  /** The id of the current run of Redis. */
  readonly run: string;
  /** The mark of the last scan. Empty without one. */
  readonly last: string;
  readonly nowMs: number;
}

/** The sets that the scripts of records keep, as the janitor reads them. */
export class UploadSets {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;

  constructor(connection: Redis, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /**
   * Compares the next waiting uploads with their records, at most `limit`, from where the last call stopped. Removes
   * and returns the uploads whose record is not queued. One script changes set and records together, so such uploads
   * exist only if another program has changed Redis. `isMore` is false at the end of a round.
   */
  async audit(limit: number): Promise<{ removed: string[]; isMore: boolean }> {
    const { waiting, waitingByAddress, fair, compared, record } = this.#keys;
    const reply = await available(() =>
      this.#connection.eval(AUDIT_SCRIPT, 4, waiting, waitingByAddress, fair, compared, record(''), String(limit)),
    );
    const [isMore, ...removed] = Array.isArray(reply) ? reply.map(String) : [];
    return { removed, isMore: isMore === '1' };
  }

  /** Returns the number of missing permits of each kind, without the kinds that have enough. */
  async missingPermits(): Promise<Map<string, number>> {
    const { fair, record, bullPrefix } = this.#keys;
    const reply = await available(() =>
      this.#connection.eval(PERMITS_SCRIPT, 1, fair, record(''), bullPrefix, QUEUE_NAME),
    );
    return pairCounts(Array.isArray(reply) ? reply : []);
  }

  /** Returns the number of waiting uploads and the time since which the oldest waits; null without one. */
  async waitingSince(): Promise<{ count: number; oldestAtMs: number | null }> {
    const count = await available(() => this.#connection.zcard(this.#keys.waiting));
    const [, score] = await available(() =>
      this.#connection.zrangebyscore(this.#keys.waiting, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1),
    );
    return { count, oldestAtMs: score === undefined ? null : Math.floor(Number(score)) };
  }

  /** Returns the number of waiting uploads of each kind that has any. */
  async waitingByKind(): Promise<Record<string, number>> {
    const { kinds, fair } = this.#keys;
    const names = await available(() => this.#connection.smembers(kinds));
    const counts = await available(() =>
      Promise.all(
        names.map(async (kind): Promise<[string, number]> => {
          const sets = [`${fair}order:${kind}`, `${fair}paused:${kind}`].map((key) => this.#connection.zcard(key));
          return [kind, (await Promise.all(sets)).reduce((sum, count) => sum + count, 0)];
        }),
      ),
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  /** Returns at most `limit` uploads that must be handled now. */
  async due(limit: number): Promise<DueUploads> {
    const reply = await available(() => this.#connection.eval(DUE_SCRIPT, 1, this.#keys.due, String(limit)));
    const [nowMs, ids] = Array.isArray(reply) ? (reply as unknown[]) : [];
    return { nowMs: Number(nowMs), ids: Array.isArray(ids) ? ids.map(String) : [] };
  }

  /** False if the upload was opened or changed after `nowMs`, so that it is due later. */
  async isDue(id: string, nowMs: number): Promise<boolean> {
    const dueAtMs = await available(() => this.#connection.zscore(this.#keys.due, id));
    return dueAtMs !== null && Number(dueAtMs) <= nowMs;
  }

  /**
   * Marks an upload as handled, for ever or until a time by Redis' clock. It stays as it is if it was opened again
   * after `dueBeforeMs`.
   */
  async markHandled(id: string, dueBeforeMs: number, untilMs?: number): Promise<void> {
    const { due, putOff } = this.#keys;
    const until = untilMs === undefined ? '' : String(untilMs);
    await available(() => this.#connection.eval(MARK_HANDLED_SCRIPT, 2, due, putOff, id, String(dueBeforeMs), until));
  }

  /**
   * Postpones an upload that could not be handled, so that it does not block others: by 15 s, and twice as long with
   * each failure in a row, up to an hour. Returns the pause in ms; 0 if it was opened again after `dueBeforeMs`, which
   * leaves it as it is.
   */
  async putOff(id: string, dueBeforeMs: number): Promise<number> {
    const { due, putOff } = this.#keys;
    return Number(
      await available(() => this.#connection.eval(PUT_OFF_SCRIPT, 2, due, putOff, id, String(dueBeforeMs))),
    );
  }

  /**
   * Returns what `markReconciled` needs after a reconciliation scan, and the time by Redis' clock. Undefined if none is
   * due: the last one is recent, Redis has not restarted and was not emptied since then, no API process was killed, and
   * no operator asked for one.
   */
  async reconciliationDue(): Promise<DueReconciliation | undefined> {
    const reply = await available(() => this.#connection.eval(RUN_SCRIPT, 1, this.#keys.reconciled));
    const [run = '', last = '', nowMs] = Array.isArray(reply) ? reply.map(String) : [];
    return run === last && !(await this.mayRemove(0)) ? undefined : { run, last, nowMs: Number(nowMs) };
  }

  /** True if an operator allows the next scan to remove this many uploads. */
  async mayRemove(count: number): Promise<boolean> {
    const permitted = await available(() => this.#connection.get(this.#keys.removalPermit));
    return permitted !== null && Number(permitted) >= count;
  }

  /** Ends the permit, which counts once. Call it after using it. */
  async endPermit(): Promise<void> {
    await available(() => this.#connection.del(this.#keys.removalPermit));
  }

  /** Call it at the end of a reconciliation scan. It is ignored if another scan has become due since. */
  async markReconciled({ run, last }: DueReconciliation, validMs: number): Promise<void> {
    const { reconciled } = this.#keys;
    await available(() => this.#connection.eval(MARK_RECONCILED_SCRIPT, 1, reconciled, last, run, String(validMs)));
  }
}

/** Pairs the names and numbers of a flat reply. */
export function pairCounts(flat: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let index = 0; index + 1 < flat.length; index += 2) counts.set(String(flat[index]), Number(flat[index + 1]));
  return counts;
}
