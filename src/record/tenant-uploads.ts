import { available, type Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import type { UploadState } from '../wire/documents.ts';
import { hasResult, type ReadRecord, type ReadWithResult } from './read-record.ts';
import { isGone } from './record-fields.ts';
import type { UploadRecords } from './record.ts';

/** A place in the list of a tenant's uploads: that of an upload that was returned already. */
export interface ListPlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/** Which uploads of a tenant are listed. */
export interface ListedUploads {
  tenant: string;
  /** The state of the listed uploads. If undefined, every state. */
  state: UploadState | undefined;
  /** Only uploads that were created at this time or later. */
  sinceMs: number | undefined;
  /** The list continues after this place. If undefined, it begins with the newest upload. */
  after: ListPlace | undefined;
  /** Maximum number of uploads. */
  limit: number;
}

/** A part of the list, newest first. */
export interface UploadPage {
  reads: ReadWithResult[];
  /** Where the list continues; undefined at its end. */
  next: ListPlace | undefined;
}

/** The parts that `TenantUploads` needs. */
export interface TenantUploadParts {
  connection: Redis;
  keys: Pick<QueueKeys, 'tenantUploads'>;
  records: Pick<UploadRecords, 'read' | 'readWithResult'>;
}

/** The number of uploads that are read at once. */
const BATCH = 100;

/** A page of a rare state ends after this many batches, perhaps without an upload. The list continues after it. */
const MOST_BATCHES = 10;

/**
 * Lists the uploads of tenants by the time of their creation. New uploads do not move the others. Deleted and expired
 * uploads are left out.
 */
export class TenantUploads {
  readonly #parts: TenantUploadParts;

  constructor(parts: TenantUploadParts) {
    this.#parts = parts;
  }

  /** Rejects with `service_unavailable` (503) if Redis is away. */
  async list(asked: ListedUploads): Promise<UploadPage> {
    const found: { place: ListPlace; read: ReadRecord }[] = [];
    let last = asked.after;
    for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
      const places = await this.#placesAfter(asked, last);
      const reads = await Promise.all(places.map(({ id }) => this.#parts.records.read(id)));
      for (const [index, place] of places.entries()) {
        const read = reads[index];
        if (read === undefined || !isListed(read, asked)) continue;
        if (found.length === asked.limit) return await this.#pageOf(asked, found, found.at(-1)?.place);
        found.push({ place, read });
      }
      if (places.length < BATCH) return await this.#pageOf(asked, found, undefined);
      last = places.at(-1);
    }
    return await this.#pageOf(asked, found, last);
  }

  /** Reads large results only now, because most of the uploads that are read may be of another state. */
  async #pageOf(
    asked: ListedUploads,
    found: readonly { read: ReadRecord }[],
    next: ListPlace | undefined,
  ): Promise<UploadPage> {
    const { records } = this.#parts;
    const reads = await Promise.all(
      found.map(async ({ read }) => (hasResult(read) ? read : await records.readWithResult(read.record.id))),
    );
    return { reads: reads.flatMap((read) => (read !== undefined && isListed(read, asked) ? [read] : [])), next };
  }

  /** Returns the next places. Uploads of the same millisecond are in the reverse order of their ids. */
  async #placesAfter({ tenant, sinceMs }: ListedUploads, last: ListPlace | undefined): Promise<ListPlace[]> {
    const { connection, keys } = this.#parts;
    const [most, least] = [last?.createdAtMs ?? '+inf', sinceMs ?? '-inf'];
    for (let skipped = 0; ; skipped += 2 * BATCH) {
      const flat = await available(() =>
        connection.zrevrangebyscore(keys.tenantUploads(tenant), most, least, 'WITHSCORES', 'LIMIT', skipped, 2 * BATCH),
      );
      const places = placesIn(flat);
      const next = places.filter((place) => last === undefined || isAfter(place, last));
      // All of them may be of the same millisecond as the last one.
      if (next.length > 0 || places.length < 2 * BATCH) return next.slice(0, BATCH);
    }
  }
}

function isListed({ record, nowMs }: ReadRecord, { tenant, state }: ListedUploads): boolean {
  if (record.tenant !== tenant || isGone(record, nowMs)) return false;
  return state === undefined || record.state === state;
}

function isAfter(place: ListPlace, last: ListPlace): boolean {
  return place.createdAtMs < last.createdAtMs || (place.createdAtMs === last.createdAtMs && place.id < last.id);
}

/** Returns the places in a flat reply, in which members and scores alternate. */
function placesIn(flat: readonly string[]): ListPlace[] {
  const places: ListPlace[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2)
    places.push({ id: flat[index] ?? '', createdAtMs: Number(flat[index + 1]) });
  return places;
}
