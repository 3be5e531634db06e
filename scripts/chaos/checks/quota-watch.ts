import { setTimeout as delay } from 'node:timers/promises';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { RECEIVING_LIMIT, TENANT_NAMES } from '../tenants.ts';
import type { RedisView } from './redis-view.ts';

const POLL_MS = 200;

/** Counts the receiving uploads of each tenant during a run. One script reads all records, so the counts agree. */
export class QuotaWatch {
  readonly #view: Pick<RedisView, 'receivingByTenant'>;
  readonly #most = new Map<string, number>();
  readonly #end = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(view: Pick<RedisView, 'receivingByTenant'>) {
    this.#view = view;
  }

  /** Counts again and again until `end`. While Redis is away it waits for the answer. */
  start(): void {
    this.#loop = this.#run();
  }

  /**
   * Ends the counting, also if called again. Returns one finding for each tenant that had more uploads than its limit.
   */
  async end(): Promise<string[]> {
    this.#end.abort();
    await this.#loop;
    return [...this.#most].flatMap(([tenant, most]) =>
      most > RECEIVING_LIMIT ? [`${tenant} was sending ${most} uploads, its limit is ${RECEIVING_LIMIT}`] : [],
    );
  }

  /** The highest counts that were seen, for the name of the check. */
  get seen(): string {
    return TENANT_NAMES.map((name) => `${name} ${this.#most.get(name) ?? 0}`).join(', ');
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const counts = await this.#view.receivingByTenant().catch(() => undefined);
      for (const [tenant, count] of counts ?? []) this.#most.set(tenant, Math.max(count, this.#most.get(tenant) ?? 0));
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Returns the differences between the use of the tenants, as the service counts it, and the sums of their records. */
export function wrongUse(records: readonly UploadRecord[], use: Readonly<Record<string, string>>): string[] {
  const sums: Record<string, number> = {};
  const add = (tenant: string, name: string, change: number) => {
    if (change > 0) sums[`${tenant}:${name}`] = (sums[`${tenant}:${name}`] ?? 0) + change;
  };
  for (const { tenant, state, stored, deleted, receivedBytes, totalBytes } of records) {
    if (tenant === null || deleted) continue;
    if (state === 'queued') add(tenant, 'waiting', 1);
    if (state === 'receiving') add(tenant, 'receiving', 1);
    if (state === 'receiving') add(tenant, 'reserved', totalBytes ?? 0);
    if (stored) add(tenant, 'stored', receivedBytes);
  }
  const fields = [...new Set([...Object.keys(sums), ...Object.keys(use)])];
  return fields.flatMap((field) => {
    const [counted, sum] = [Number(use[field] ?? 0), sums[field] ?? 0];
    return counted === sum ? [] : [`${field} is counted as ${counted}, its records have ${sum}`];
  });
}
