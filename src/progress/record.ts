import { randomBytes } from 'node:crypto';
import type { Problem, Result, UploadState } from '../api.ts';
import { EVENT_STREAM_LENGTH, MAX_ATTEMPTS, type QueueKeys } from '../queue/contract.ts';
import { processingPercent, queuedPercent, receivingPercent } from './progress.ts';
import { decodeRecord, pairFields, type StoredVariant, type UploadRecord } from './record-fields.ts';
import { RECORD_SCRIPT } from './record-script.ts';

/** The few Redis commands that records need. */
export interface RecordStore {
  /** Runs a script by its digest, loading it where Redis has not seen it. */
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** The hash as a flat list of pairs and its 0-based rank in the sorted set, null where it has none. */
  readHash(key: string, rankedIn: string, member: string): Promise<{ flat: string[]; rank: number | null }>;
  get(key: string): Promise<string | null>;
  /** Deletes the keys and takes the member out of the sorted set, in one step. */
  remove(keys: readonly string[], rankedIn: string, member: string): Promise<void>;
}

/**
 * Why a change was not made. `missing`: no record; `deleted`: a tombstone; `final`: the outcome stands;
 * `state`: not from this state; `fenced`: a later request or attempt has taken over; `exhausted`: no attempt left.
 */
export type Refusal = 'missing' | 'deleted' | 'final' | 'state' | 'fenced' | 'exhausted';

/**
 * What became of a change; `record` is there for those that ask for it, and for refusals
 * other than `missing`; `restarted` is true where `open` began a new life of a failed upload.
 */
export type ChangeOutcome =
  | { readonly made: true; readonly version: number; readonly record: UploadRecord | undefined; readonly restarted?: boolean }
  | { readonly made: false; readonly refusal: Refusal; readonly record: UploadRecord | undefined };

/** A record and its place among the waiting, as read at one moment. */
export interface ReadRecord {
  record: UploadRecord;
  /** 1 is next; null unless queued. */
  queuePosition: number | null;
}

interface RecordChange {
  from: readonly UploadState[];
  fields: Record<string, string>;
  create?: Record<string, string>;
  clean?: boolean;
  mint?: boolean;
  phase?: boolean;
  receipt?: string;
  attempt?: number;
  sequence?: number;
  percent?: number;
  variant?: StoredVariant;
  drop?: readonly string[];
  callOut?: boolean;
  wantsRecord?: boolean;
}

/** What is known of a file when its first bytes are about to be read. */
export interface NewUpload {
  id: string;
  receipt: string;
  fileName: string;
  totalBytes: number | null;
}

/** What is known once its bytes are durable. */
export interface StoredUpload {
  type: string;
  sizeBytes: number;
  sha256: string;
  options: unknown;
}

/** What a problem says that is an upload's outcome. */
const FAILED = { state: 'failed', final: true } as const;

const OPEN_STATES: readonly UploadState[] = ['receiving', 'queued', 'processing'];
const RESTARTABLE_STATES: readonly UploadState[] = ['failed', 'cancelled', 'discarded'];

/** Reads and changes the records of uploads. Stateless: any number of processes may hold one. */
export class UploadRecords {
  readonly #store: RecordStore;
  readonly #keys: QueueKeys;
  readonly #retentionMs: number;
  readonly #noncePrefix = randomBytes(6).toString('base64url');
  #nonces = 0;

  constructor(store: RecordStore, keys: QueueKeys, options: { retentionMs: number }) {
    this.#store = store;
    this.#keys = keys;
    this.#retentionMs = options.retentionMs;
  }

  /**
   * Begins to receive: makes the record, takes over from a request that is still receiving under the
   * same id, or starts clean after failed, cancelled or discarded. Refused with `state` or `final`
   * where a stored upload has the id, with `deleted` after DELETE.
   */
  async open(upload: NewUpload): Promise<ChangeOutcome> {
    const total = upload.totalBytes === null ? '' : String(upload.totalBytes);
    const common = {
      fields: {
        state: 'receiving', stage: 'receive', received: '0', total, receipt: upload.receipt, name: upload.fileName, stored: '0',
      },
      phase: true,
      wantsRecord: true,
    };
    const publicId = randomBytes(16).toString('base64url');
    const create = { id: upload.id, publicId, createdAt: String(Date.now()) };
    const outcome = await this.#change(upload.id, { ...common, from: ['receiving'], create });
    if (outcome.made || outcome.refusal !== 'final' || outcome.record?.state === 'completed') return outcome;
    const restarted = await this.#change(upload.id, { ...common, from: RESTARTABLE_STATES, clean: true });
    return restarted.made ? { ...restarted, restarted: true } : restarted;
  }

  /** Progress of the request that bears the receipt. */
  async receive(id: string, receipt: string, receivedBytes: number, totalBytes: number | null): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: ['receiving'],
      receipt,
      percent: receivingPercent(receivedBytes, totalBytes),
      fields: { received: String(receivedBytes) },
    });
  }

  /** The bytes are durable: the upload waits for a worker from now on. */
  async enqueue(id: string, receipt: string, stored: StoredUpload): Promise<ChangeOutcome> {
    const size = String(stored.sizeBytes);
    return await this.#change(id, {
      from: ['receiving'],
      receipt,
      percent: queuedPercent(),
      phase: true,
      wantsRecord: true,
      fields: {
        state: 'queued', stage: 'queue', received: size, total: size, stored: '1',
        type: stored.type, sha256: stored.sha256, options: JSON.stringify(stored.options),
      },
    });
  }

  /** The file was refused or its request broke off. `fields` may tell what was found out about it. */
  async refuse(id: string, receipt: string, error: Problem, found: { receivedBytes: number; type: string | null }): Promise<ChangeOutcome> {
    const type: Record<string, string> = found.type === null ? {} : { type: found.type };
    return await this.#change(id, {
      from: ['receiving'],
      receipt,
      wantsRecord: true,
      fields: { state: 'failed', stage: 'done', received: String(found.receivedBytes), error: JSON.stringify({ ...error, ...FAILED }), ...type },
    });
  }

  /** A worker takes the upload up: mints the attempt that fences all earlier ones. Refused with `exhausted` after the last. */
  async begin(id: string): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: ['queued', 'processing'],
      mint: true,
      phase: true,
      wantsRecord: true,
      fields: { state: 'processing', stage: 'inspect' },
    });
  }

  /** Progress of an attempt; `fraction` 0 to 1 of its work, `sequence` grows with every call. */
  async advance(id: string, attempt: number, sequence: number, stage: string, fraction: number): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: ['processing'],
      attempt,
      sequence,
      percent: processingPercent(fraction),
      fields: { stage },
    });
  }

  /** A variant lies in storage and may be served. */
  async announce(id: string, attempt: number, variant: StoredVariant): Promise<ChangeOutcome> {
    return await this.#change(id, { from: ['processing'], attempt, variant, fields: {} });
  }

  async complete(id: string, attempt: number, result: Result): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: ['processing'],
      attempt,
      percent: 100,
      fields: { state: 'completed', stage: 'done', result: JSON.stringify(result) },
    });
  }

  /** Ends an upload for good. Without an attempt: whatever attempt was the last. */
  async fail(id: string, attempt: number | undefined, error: Problem): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: attempt === undefined ? ['queued', 'processing'] : ['processing'],
      ...(attempt === undefined ? {} : { attempt }),
      fields: { state: 'failed', stage: 'done', error: JSON.stringify({ ...error, ...FAILED }) },
    });
  }

  /** Hands an attempt back: the upload waits again, oldest first, with the percent it had. */
  async handBack(id: string, attempt: number): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: ['processing'],
      attempt,
      phase: true,
      fields: { state: 'queued', stage: 'queue' },
    });
  }

  /** Refused with `final` where the outcome stands already. */
  async cancel(id: string): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: OPEN_STATES,
      callOut: true,
      wantsRecord: true,
      fields: { state: 'cancelled', stage: 'done', stored: '0' },
    });
  }

  /** Leaves a tombstone of the id, so that it answers 410 until the retention is over. */
  async bury(id: string): Promise<ChangeOutcome> {
    return await this.#change(id, {
      from: [...OPEN_STATES, ...RESTARTABLE_STATES, 'completed'],
      callOut: true,
      wantsRecord: true,
      fields: { state: 'cancelled', stage: 'done', deleted: '1', stored: '0' },
      drop: ['name', 'result', 'error', 'variants', 'sha256', 'type', 'options'],
    });
  }

  /** Removes every trace. For an id that was never given to anybody. */
  async forget(id: string, publicId: string): Promise<void> {
    await this.#store.remove([this.#keys.record(id), this.#keys.publicId(publicId)], this.#keys.waiting, id);
  }

  /** Undefined where there is no such upload; a tombstone comes back with `deleted: true`. */
  async read(id: string): Promise<ReadRecord | undefined> {
    const { flat, rank } = await this.#store.readHash(this.#keys.record(id), this.#keys.waiting, id);
    if (flat.length === 0) return undefined;
    return { record: decodeRecord(id, pairFields(flat)), queuePosition: rank === null ? null : rank + 1 };
  }

  /** The id behind a public id; undefined where there is none. */
  async idOf(publicId: string): Promise<string | undefined> {
    return (await this.#store.get(this.#keys.publicId(publicId))) ?? undefined;
  }

  async #change(id: string, change: RecordChange): Promise<ChangeOutcome> {
    const { from, callOut, ...rest } = change;
    const wire = {
      ...rest,
      id,
      nonce: `${this.#noncePrefix}${++this.#nonces}`,
      from: Object.fromEntries(from.map((state) => [state, true])),
      retentionMs: this.#retentionMs,
      maxAttempts: MAX_ATTEMPTS,
      ...(callOut === true ? { calledOut: this.#keys.cancelChannel } : {}),
    };
    const reply = await this.#store.runScript(
      RECORD_SCRIPT,
      [this.#keys.record(id), this.#keys.waiting, this.#keys.events],
      [String(Date.now()), JSON.stringify(wire), String(EVENT_STREAM_LENGTH), this.#keys.publicId(''), String(preciseNowMs())],
    );
    return decodeOutcome(id, reply);
  }
}

/** Milliseconds since 1970 with their fractions, the same on all processes of a machine. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

const REFUSALS: readonly Refusal[] = ['missing', 'deleted', 'final', 'state', 'fenced', 'exhausted'];

function decodeOutcome(id: string, reply: unknown): ChangeOutcome {
  if (!Array.isArray(reply)) throw new Error('the record script answered no list');
  const [word, version, ...flat] = reply.map(String);
  const record = flat.length === 0 ? undefined : decodeRecord(id, pairFields(flat));
  if (word === 'ok') return { made: true, version: Number(version), record };
  const refusal = REFUSALS.find((known) => known === word);
  if (refusal === undefined) throw new Error(`the record script answered ${String(word)}`);
  return { made: false, refusal, record };
}
