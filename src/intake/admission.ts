import { createHash } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import { ServiceError, type ErrorCode } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import type { QueueLimits } from '../record/record-change.ts';
import type { RecordBounds, RecordFigures } from '../record/record-count.ts';
import type { ReachedLimit } from '../record/quota.ts';
import type { QuotaName } from '../wire/base-schemas.ts';
import type { CreationRate } from './creation-rate.ts';
import type { Backlog, BacklogFigures } from '../queue/backlog.ts';

/** How many uploads may wait for workers, and what happens if there are more. */
export interface QueueBounds {
  capacity: number;
  overflow: 'reject' | 'discard-oldest';
  /** Maximum for one client address; 0 means no limit. Above it an upload is always rejected, with any `overflow`. */
  capacityPerAddress: number;
}

/** The maximum number of records in any state. */
interface RecordLimits {
  max: number;
  /** Maximum for one client address; 0 means no limit. */
  maxPerAddress: number;
}

interface AdmissionParts {
  bounds: QueueBounds;
  backlog: Pick<Backlog, 'read'>;
  /** Default: no limit. */
  records?: RecordLimits;
  /** Counts the records. Default: there are none. */
  countRecords?: (owner?: string) => Promise<RecordFigures>;
  /** Returns a limit of the tenant that is reached. Default: none is. */
  checkQuota?: (owner: QuotaOwner, receivedBytes?: number) => Promise<ReachedLimit | undefined>;
  /** Limits the requests of one client address. Default: no limit. */
  rate?: Pick<CreationRate, 'require'>;
  /** Returns false if Redis is away or hangs. Default: true. */
  isRedisReady?: () => boolean;
  /** Called for each upload that is rejected because a limit is reached. */
  onRejected: (code: LimitCode) => void;
  /** Called for each upload that was evicted from the queue. */
  onDiscarded: () => void;
}

/** Pause if no upload has left the queue lately, so that the drain rate is unknown. */
const UNMEASURED_RETRY_MS = 10_000;

/** Bounds of `Retry-After`: the minimum prevents a storm of retries, the maximum lets clients notice new workers. */
const LEAST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 120_000;

/** This share of the capacity should be free when rejected clients retry, not just one place for all of them. */
const FREE_PLACES_WANTED = 0.01;

/** For this time after a rejection, or after Redis did not answer, the next upload is probably rejected too. */
const PRESSURE_MS = 1_000;

type LimitCode =
  'queue_full' | 'too_many_queued_by_address' | 'too_many_records' | 'too_many_records_by_address' | 'quota_exceeded';

/** The owner of an upload and its limits. */
type QuotaOwner = Pick<Caller, 'tenant' | 'limits'>;

/** Pauses for limits that last until another upload ends. */
const RETRY_RECEIVING_MS = 2_000;
const RETRY_STORED_MS = 60_000;

/** Checks the limits before an upload begins, and computes when a rejected client should retry. */
export class Admission {
  readonly #parts: AdmissionParts;
  #pressedAtMs = -Infinity;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * True if an upload was rejected in the last second or Redis does not answer, so that the next ones may be rejected
   * too. They are then checked before they are stored. A form that is sent again would otherwise leave a stored file
   * each time, and each would become an upload.
   */
  get isUnderPressure(): boolean {
    return this.#parts.isRedisReady?.() === false || performance.now() - this.#pressedAtMs < PRESSURE_MS;
  }

  /** Call it if Redis has not answered whether a stored file is accepted. */
  notAnswered(): void {
    this.#pressedAtMs = performance.now();
  }

  /** Call it once for each request that creates uploads, before its body is read. Throws as `CreationRate.require`. */
  async requireRate(scope: Pick<RequestScope, 'address' | 'caller'>): Promise<void> {
    await this.#parts.rate?.require(scope);
  }

  /**
   * Returns the limits for the script of the record, which decides. They include the address only if its share is
   * limited.
   */
  queueLimits(address: string): QueueLimits {
    const { capacity, overflow, capacityPerAddress } = this.#parts.bounds;
    return {
      capacity,
      discards: overflow === 'discard-oldest',
      perAddress: capacityPerAddress,
      ...(capacityPerAddress > 0 ? { address } : {}),
    };
  }

  /**
   * Checks early, before a body is read or before a received file of `receivedBytes` is queued. Throws as `rejection`
   * and `limitRejection` if a limit is reached now. Passing it does not reserve a place.
   */
  async requireCapacity(address: string, owner?: QuotaOwner, receivedBytes?: number): Promise<void> {
    const { bounds } = this.#parts;
    const [figures] = await Promise.all([
      this.#backlogOf(address),
      this.#requireRecord(address),
      owner === undefined ? undefined : this.#requireQuota(owner, receivedBytes),
    ]);
    if (bounds.capacityPerAddress > 0 && figures.ofAddress >= bounds.capacityPerAddress)
      throw this.#reject('quota', figures);
    if (bounds.overflow === 'reject' && figures.waiting >= bounds.capacity) throw this.#reject('full', figures);
  }

  /**
   * Returns the error if the script has rejected an upload: `queue_full` (503) or `too_many_queued_by_address` (429).
   */
  async rejection(word: 'full' | 'quota', address: string): Promise<ServiceError> {
    const figures = await this.#backlogOf(address).catch(() => undefined);
    return this.#reject(word, figures);
  }

  /** Returns the error if the script has rejected an upload for a limit of its tenant: `quota_exceeded` (429). */
  async limitRejection({ name, endsInMs }: ReachedLimit): Promise<ServiceError> {
    this.#onRejected('quota_exceeded');
    return new ServiceError('quota_exceeded', LIMIT_DETAILS[name], {
      limit: name,
      retryAfterMs: endsInMs ?? (await this.#limitRetryMs(name)),
    });
  }

  /** Returns the limits of records for the script. The owner is a digest of the client's address. */
  recordBounds(address: string): RecordBounds | undefined {
    const { records } = this.#parts;
    if (records === undefined) return undefined;
    const owner = records.maxPerAddress > 0 ? { owner: ownerOf(address) } : {};
    return { most: records.max, mostOfOwner: records.maxPerAddress, ...owner };
  }

  /**
   * Returns the error if the script has rejected a record: `too_many_records` (503) or `too_many_records_by_address`
   * (429).
   */
  async recordRejection(word: 'records' | 'owned'): Promise<ServiceError> {
    const figures = await this.#parts.countRecords?.().catch(() => undefined);
    return this.#rejectRecord(word, figures);
  }

  /** Call it for each upload that was evicted from the queue. */
  discarded(): void {
    this.#parts.onDiscarded();
  }

  async #requireQuota(owner: QuotaOwner, receivedBytes?: number): Promise<void> {
    const limit = await this.#parts.checkQuota?.(owner, receivedBytes);
    if (limit !== undefined) throw await this.limitRejection(limit);
  }

  async #limitRetryMs(name: QuotaName): Promise<number> {
    if (name !== 'waiting') return name === 'receiving' ? RETRY_RECEIVING_MS : RETRY_STORED_MS;
    const figures = await this.#parts.backlog.read().catch(() => undefined);
    return timeToDrainMs(figures?.drainedPerMinute, 1);
  }

  #reject(word: 'full' | 'quota', figures: BacklogFigures | undefined): ServiceError {
    const { bounds } = this.#parts;
    const code = word === 'full' ? 'queue_full' : 'too_many_queued_by_address';
    this.#onRejected(code);
    const retryAfterMs = word === 'full' ? fullRetryMs(figures, bounds.capacity) : quotaRetryMs(figures);
    const detail =
      word === 'full'
        ? 'The queue is full. Send the file again after the time in Retry-After.'
        : `At most ${bounds.capacityPerAddress} uploads of one address may wait. Retry after the time in Retry-After.`;
    return new ServiceError(code, detail, { retryAfterMs });
  }

  async #requireRecord(address: string): Promise<void> {
    const bounds = this.recordBounds(address);
    const figures = bounds && (await this.#parts.countRecords?.(bounds.owner));
    if (bounds === undefined || figures === undefined) return;
    if (figures.live >= bounds.most) throw this.#rejectRecord('records', figures);
    if (bounds.owner !== undefined && figures.ofOwner >= bounds.mostOfOwner) throw this.#rejectRecord('owned', figures);
  }

  #rejectRecord(word: 'records' | 'owned', figures: RecordFigures | undefined): ServiceError {
    const code = word === 'records' ? 'too_many_records' : 'too_many_records_by_address';
    this.#onRejected(code);
    const retryAfterMs = Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, figures?.nextDropMs ?? UNMEASURED_RETRY_MS));
    const reason =
      word === 'records'
        ? 'The server stores its maximum number of uploads.'
        : 'Your address has its maximum number of stored uploads.';
    return new ServiceError(code, `${reason} Send the file again after the time in Retry-After.`, { retryAfterMs });
  }

  #onRejected(code: LimitCode): void {
    this.#pressedAtMs = performance.now();
    this.#parts.onRejected(code);
  }

  async #backlogOf(address: string): Promise<BacklogFigures> {
    const { bounds, backlog } = this.#parts;
    return await backlog.read(bounds.capacityPerAddress > 0 ? address : undefined);
  }
}

/** Returns a digest, so that Redis does not store the address while the uploads are kept. */
function ownerOf(address: string): string {
  return createHash('sha256').update(address).digest('base64url').slice(0, 16);
}

const LIMIT_DETAILS: Readonly<Record<QuotaName, string>> = {
  waiting: 'Your tenant has its maximum number of waiting uploads. Retry after the time in Retry-After.',
  receiving: 'Your tenant is sending its maximum number of uploads at once. Retry after the time in Retry-After.',
  uploadsPerDay: 'Your tenant has used up its uploads of this day (UTC). Retry after the time in Retry-After.',
  bytesPerDay:
    'This file would exceed the bytes of your tenant for this day (UTC). Retry after the time in Retry-After.',
  storedBytes:
    'This file would exceed the stored bytes of your tenant. Delete uploads, or retry when some have expired.',
  createPerMinute: 'Your tenant has used up its uploads of this minute. Retry after the time in Retry-After.',
};

const CAPACITY_CODES: ReadonlySet<ErrorCode> = new Set(['queue_full', 'too_many_queued_by_address', 'quota_exceeded']);

/** True if there was no place for the upload, so that the error is not a fault of the file. */
export function isCapacityError(error: unknown): error is ServiceError {
  return error instanceof ServiceError && CAPACITY_CODES.has(error.code);
}

/** Returns the time until `FREE_PLACES_WANTED` of the capacity is free. */
function fullRetryMs(figures: BacklogFigures | undefined, capacity: number): number {
  return timeToDrainMs(figures?.drainedPerMinute, Math.ceil(capacity * FREE_PLACES_WANTED));
}

/** Returns the time until one upload of the address has probably left the queue, if its uploads are spread evenly. */
function quotaRetryMs(figures: BacklogFigures | undefined): number {
  return timeToDrainMs(figures?.drainedPerMinute, (figures?.waiting ?? 1) / Math.max(1, figures?.ofAddress ?? 1));
}

function timeToDrainMs(drainedPerMinute: number | undefined, uploads: number): number {
  if (drainedPerMinute === undefined) return UNMEASURED_RETRY_MS;
  return Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, (uploads * 60_000) / drainedPerMinute));
}
