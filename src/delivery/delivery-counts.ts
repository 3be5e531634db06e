import type { Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';

/** How a try ends: `delivered`, `retried` for one more try later, or `abandoned` after the last one. */
type TryOutcome = 'delivered' | 'retried' | 'abandoned';

/** Figures of all deliveries, over all processes. */
export interface DeliveryFigures {
  /** Tries since the installation exists, by outcome. */
  readonly tries: Readonly<Record<TryOutcome, number>>;
  readonly pending: number;
  /** Age of the oldest pending delivery. Null if there is none. */
  readonly oldestPendingMs: number | null;
}

/** Counts deliveries in Redis, because workers have no metrics of their own. */
export class DeliveryCounts {
  readonly #connection: Redis;
  readonly #keys: Pick<QueueKeys, 'pendingDeliveries' | 'deliveryCounts' | 'outbox'>;

  constructor(connection: Redis, keys: Pick<QueueKeys, 'pendingDeliveries' | 'deliveryCounts' | 'outbox'>) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Marks deliveries as pending since the time of their event, in ms. */
  async began(deliveries: readonly { readonly id: string; readonly atMs: number }[]): Promise<void> {
    const pairs = deliveries.flatMap(({ id, atMs }) => [String(atMs), id]);
    if (pairs.length > 0) await this.#connection.zadd(this.#keys.pendingDeliveries, ...pairs);
  }

  async ended(id: string, outcome: TryOutcome): Promise<void> {
    const counted = this.#connection.hincrby(this.#keys.deliveryCounts, outcome, 1);
    if (outcome === 'retried') await counted;
    else await Promise.all([counted, this.drop([id])]);
  }

  /** Marks deliveries as no longer pending. */
  async drop(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#connection.zrem(this.#keys.pendingDeliveries, ...ids);
  }

  async pending(): Promise<number> {
    return await this.#connection.zcard(this.#keys.pendingDeliveries);
  }

  /** Returns the oldest pending deliveries. */
  async oldest(count: number): Promise<{ id: string; atMs: number }[]> {
    const flat = await this.#connection.zrange(this.#keys.pendingDeliveries, '0', String(count - 1), 'WITHSCORES');
    return flat.flatMap((id, index) => (index % 2 === 0 ? [{ id, atMs: Number(flat[index + 1]) }] : []));
  }

  /** Reads the figures. Entries of the outbox count as pending too. They remain there while no worker runs. */
  async read(nowMs: number): Promise<DeliveryFigures> {
    const [counts, jobs, [oldestJob], entries] = await Promise.all([
      this.#connection.hgetall(this.#keys.deliveryCounts),
      this.pending(),
      this.oldest(1),
      this.#connection.xlen(this.#keys.outbox),
    ]);
    const countOf = (outcome: TryOutcome): number => Number(counts[outcome] ?? 0);
    const since = [oldestJob?.atMs, entries === 0 ? undefined : await this.#oldestEntryAtMs()];
    const oldestAtMs = Math.min(...since.map((atMs) => atMs ?? Infinity));
    return {
      tries: { delivered: countOf('delivered'), retried: countOf('retried'), abandoned: countOf('abandoned') },
      pending: jobs + entries,
      oldestPendingMs: oldestAtMs === Infinity ? null : Math.max(0, Math.round(nowMs - oldestAtMs)),
    };
  }

  /** Returns the time of the oldest entry of the outbox. Its id begins with the time by the clock of Redis. */
  async #oldestEntryAtMs(): Promise<number | undefined> {
    const [oldest] = await this.#connection.xrange(this.#keys.outbox, '-', '+', 'COUNT', 1);
    return oldest === undefined ? undefined : Number.parseInt(oldest[0], 10);
  }
}
