import { Registry } from '../../../src/deferred/registry.ts';
import type { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { Result } from '../../../src/wire/documents.ts';
import type { ProgressState } from '../../../src/record/progress.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import {
  withResult,
  type ReadProgress,
  type ReadRecord,
  type ReadWithResult,
  type RecordWithResult,
} from '../../../src/record/read-record.ts';

export const ID = '0b0c7e4e-6f0b-4c58-9a43-0d5b8f0e6c11';

/** Makes a record of an upload that is being processed. */
export function recordOf(more: Partial<UploadRecord> = {}): RecordWithResult {
  return {
    id: ID,
    publicId: 'public',
    state: 'processing',
    version: 7,
    percent: 65,
    stage: 'resize',
    receivedBytes: 1000,
    totalBytes: 1000,
    attempt: 1,
    attemptBase: 0,
    updatedAtMs: 5000,
    phaseStartedAtMs: 1000,
    phaseStartPercent: 30,
    stored: true,
    deleted: false,
    fencingToken: 'r1',
    lifeVersion: 1,
    fencedTokens: [],
    fileName: 'a.jpg',
    type: 'image/jpeg',
    sha256: 'a'.repeat(64),
    announcedSha256: null,
    road: null,
    fetches: 0,
    options: {},
    error: null,
    variants: {},
    faults: 0,
    deaths: 0,
    mayHaveOrphans: false,
    createdAtMs: 500,
    expiresAtMs: null,
    metadata: null,
    requestId: null,
    permit: null,
    tenant: null,
    lane: 'live',
    weight: 1,
    hasWebhooks: false,
    appMetadata: null,
    limits: null,
    allowed: null,
    ...more,
    result: more.result ?? null,
  };
}

/** Makes the event of a change of such a record. */
export function eventOf(more: Partial<ProgressState> = {}): ProgressState {
  return { ...recordOf(), ...more };
}

/** Records in memory. Reads return the entries of `now`, and a test may delay them or let them fail. */
export class FakeRecords {
  readonly now = new Map<string, ReadRecord>();
  /** Results that have keys of their own. */
  readonly results = new Map<string, Result>();
  reads = 0;
  /** How many of the reads were with the result. */
  resultReads = 0;
  /** If set, reads reject with it. */
  fault: Error | undefined;
  /** Called at every read, before it is answered. */
  onRead: () => Promise<void> | void = () => undefined;

  set(record: UploadRecord, queuePosition: number | null = null): void {
    this.now.set(record.id, { record, queuePosition, nowMs: Date.now() });
  }

  async readProgress(id: string): Promise<ReadProgress | undefined> {
    const found = await this.read(id);
    if (found === undefined) return undefined;
    const { record, queuePosition, nowMs } = found;
    return { state: record, queuePosition, nowMs, expiresAtMs: record.expiresAtMs };
  }

  async readWithResult(id: string): Promise<ReadWithResult | undefined> {
    this.resultReads += 1;
    const found = await this.read(id);
    return found && withResult(found, this.results.get(id) ?? null);
  }

  async read(id: string): Promise<ReadRecord | undefined> {
    this.reads += 1;
    const found = this.now.get(id);
    await this.onRead();
    if (this.fault !== undefined) throw this.fault;
    return found;
  }
}

/** Makes a registry that throws the errors of its waiters. */
export function openRegistry(listen?: () => Promise<void>): Registry<ProgressState> {
  return new Registry<ProgressState>({
    listen,
    onFault(error) {
      throw error;
    },
  });
}

/** Returns the timeout value as the manager makes it when the time is up. */
export async function timeOut<T>(result: DeferredResult<T>): Promise<T> {
  const value = result.timeoutResult;
  if (value === undefined) throw new Error('no timeout value');
  return typeof value === 'function' ? await (value as () => T | PromiseLike<T>)() : value;
}

/** Ends a result as the manager does at the end of its response, for any reason. */
export function complete(result: DeferredResult): void {
  result.complete((error) => {
    throw error;
  });
}
