import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { QueueLimits } from '../record/record-change.ts';
import type { RecordBounds, RecordFigures } from '../record/record-count.ts';
import type { Backlog, BacklogFigures } from '../queue/backlog.ts';

/** How many uploads may wait for workers, and what becomes of one too many. */
export interface QueueBounds {
  capacity: number;
  overflow: 'reject' | 'discard-oldest';
  /** For one client address; 0 means no limit. One too many is refused, whatever `overflow` says. */
  capacityPerAddress: number;
}

/** How many records there may be, of whatever state. */
export interface RecordLimits {
  max: number;
  /** Of one client address; 0 means no limit. */
  maxPerAddress: number;
}

/** What admission needs. */
export interface AdmissionParts {
  bounds: QueueBounds;
  backlog: Pick<Backlog, 'read'>;
  /** Default: there may be any number. */
  records?: RecordLimits;
  /** How many there are; default: none. */
  countRecords?: (owner?: string) => Promise<RecordFigures>;
  /** Told of each upload that finds no room. */
  onRefused: (code: LackCode) => void;
  /** Told of each upload that made room for another one. */
  onDiscarded: () => void;
}

/** Where nothing has drained lately, nobody knows when there will be room. */
const UNMEASURED_RETRY_MS = 10_000;

/** A refused client comes again no sooner, so that it is no storm, and no later, so that it notices more workers. */
const LEAST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 120_000;

/** Of the capacity; so much is free when those that were refused come again, not a single place for all of them. */
const FREE_PLACES_WANTED = 0.01;

/** The codes of what is refused because there is too much. */
type LackCode = 'queue_full' | 'too_many_queued_by_address' | 'too_many_records' | 'too_many_records_by_address';

/** Decides whether one more upload may wait, and tells those that may not when to come again. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** What the record's script is to go by, which decides; the address stands in it only where its share is limited. */
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
   * For those that have a body to read first: throws what `refusal` tells where there is no room now. That there is
   * some says little of the time when the body is here.
   */
  async requireCapacity(address: string): Promise<void> {
    const { bounds } = this.#parts;
    const [figures] = await Promise.all([this.#backlogOf(address), this.#requireRecord(address)]);
    if (bounds.capacityPerAddress > 0 && figures.ofAddress >= bounds.capacityPerAddress)
      throw this.#refuse('quota', figures);
    if (bounds.overflow === 'reject' && figures.waiting >= bounds.capacity) throw this.#refuse('full', figures);
  }

  /** The error for a refusal of the script: `queue_full` (503) or `too_many_queued_by_address` (429), with when to come again. */
  async refusal(word: 'full' | 'quota', address: string): Promise<ServiceError> {
    const figures = await this.#backlogOf(address).catch(() => undefined);
    return this.#refuse(word, figures);
  }

  /** What the record's script is to go by when it makes one more; the owner is a digest of the client's address. */
  recordBounds(address: string): RecordBounds | undefined {
    const { records } = this.#parts;
    if (records === undefined) return undefined;
    const owner = records.maxPerAddress > 0 ? { owner: ownerOf(address) } : {};
    return { most: records.max, mostOfOwner: records.maxPerAddress, ...owner };
  }

  /** The error for a refusal of the script: `too_many_records` (503) or `too_many_records_by_address` (429). */
  async recordRejection(word: 'records' | 'owned'): Promise<ServiceError> {
    const figures = await this.#parts.countRecords?.().catch(() => undefined);
    return this.#refuseRecord(word, figures);
  }

  /** To be called for each upload that made room for another one. */
  discarded(): void {
    this.#parts.onDiscarded();
  }

  #refuse(word: 'full' | 'quota', figures: BacklogFigures | undefined): ServiceError {
    const { bounds, onRefused } = this.#parts;
    const code = word === 'full' ? 'queue_full' : 'too_many_queued_by_address';
    onRefused(code);
    const retryAfterMs = word === 'full' ? fullRetryMs(figures, bounds.capacity) : quotaRetryMs(figures);
    const detail =
      word === 'full'
        ? 'As many uploads wait as there is room for. Send the file again when Retry-After says.'
        : `At most ${bounds.capacityPerAddress} uploads of one address may wait. Send the file again when Retry-After says.`;
    return new ServiceError(code, detail, { retryAfterMs });
  }

  async #requireRecord(address: string): Promise<void> {
    const bounds = this.recordBounds(address);
    const figures = bounds && (await this.#parts.countRecords?.(bounds.owner));
    if (bounds === undefined || figures === undefined) return;
    if (figures.live >= bounds.most) throw this.#refuseRecord('records', figures);
    if (bounds.owner !== undefined && figures.ofOwner >= bounds.mostOfOwner) throw this.#refuseRecord('owned', figures);
  }

  #refuseRecord(word: 'records' | 'owned', figures: RecordFigures | undefined): ServiceError {
    const code = word === 'records' ? 'too_many_records' : 'too_many_records_by_address';
    this.#parts.onRefused(code);
    const retryAfterMs = Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, figures?.nextDropMs ?? UNMEASURED_RETRY_MS));
    const whose = word === 'records' ? 'The service keeps' : 'The service keeps, of your address,';
    return new ServiceError(code, `${whose} as many uploads as it may. Send the file again when Retry-After says.`, {
      retryAfterMs,
    });
  }

  async #backlogOf(address: string): Promise<BacklogFigures> {
    const { bounds, backlog } = this.#parts;
    return await backlog.read(bounds.capacityPerAddress > 0 ? address : undefined);
  }
}

/** Nothing about a client is to be read in Redis for as long as its uploads are kept. */
function ownerOf(address: string): string {
  return createHash('sha256').update(address).digest('base64url').slice(0, 16);
}

/** True for an error that says no more of the file than that it may not wait now. */
export function isLackOfCapacity(error: unknown): error is ServiceError {
  return error instanceof ServiceError && (error.code === 'queue_full' || error.code === 'too_many_queued_by_address');
}

/** Until so much room has drained as is wanted. */
function fullRetryMs(figures: BacklogFigures | undefined, capacity: number): number {
  return timeToDrainMs(figures?.drainedPerMinute, Math.ceil(capacity * FREE_PLACES_WANTED));
}

/** Until one of the address's own is likely to have its turn: they are spread over all that wait. */
function quotaRetryMs(figures: BacklogFigures | undefined): number {
  return timeToDrainMs(figures?.drainedPerMinute, (figures?.waiting ?? 1) / Math.max(1, figures?.ofAddress ?? 1));
}

function timeToDrainMs(drainedPerMinute: number | undefined, uploads: number): number {
  if (drainedPerMinute === undefined) return UNMEASURED_RETRY_MS;
  return Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, (uploads * 60_000) / drainedPerMinute));
}
