import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ChangeOutcome, RejectedChange } from '../record/record-change.ts';

/** At most one report in this time, and never two on their way at once. */
const REPORT_PERIOD_MS = 150;

/** Small files are whole before it, and need no report. */
const FIRST_REPORT_MS = 50;

/** Sends the count of received bytes to the record. */
export type ReportReceived = (receivedBytes: number) => Promise<ChangeOutcome>;

/** Calls `look` at once, and whenever another request may have changed the upload; returns the release. */
export type ListenForOthers = (look: () => void) => () => void;

/**
 * Tells the record how far a file has come, without holding up its bytes. The record's answer is the
 * fence: when another request has taken over, or the upload was cancelled, the next chunk throws
 * `upload_superseded` (409) or `upload_cancelled` (410). A Redis that is away costs reports, not the upload.
 */
export class ReceiveProgress {
  readonly #write: ReportReceived;
  readonly #log: Logger;
  #receivedBytes = 0;
  #type: string | null = null;
  #reportedAtMs: number | undefined;
  #inFlight: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #refusal: ServiceError | undefined;
  #onRefused: ((refusal: ServiceError) => void) | undefined;
  #listenTimer: NodeJS.Timeout | undefined;
  #endListening: (() => void) | undefined;
  #isClosed = false;

  constructor(report: ReportReceived, log: Logger) {
    this.#write = report;
    this.#log = log;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Null until the first bytes have told it. */
  get type(): string | null {
    return this.#type;
  }

  typed(type: string): void {
    this.#type = type;
  }

  /**
   * Has the refusal told at once, between chunks and where none come: when others are heard of the record is asked
   * for its answer. Begins late, since small files are through before. Call it once.
   */
  tellOfRefusal(listen: ListenForOthers, onRefused: (refusal: ServiceError) => void): void {
    this.#onRefused = onRefused;
    this.#listenTimer = setTimeout(() => {
      this.#endListening = listen(() => this.#reportNow());
    }, FIRST_REPORT_MS);
  }

  /** Counts a chunk. Throws once the record has refused a report. */
  received(byteCount: number): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#receivedBytes += byteCount;
    this.#reportLater();
  }

  /** Ends the reports; resolves when none is under way. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#listenTimer);
    this.#endListening?.();
    this.#isClosed = true;
    await this.#inFlight;
  }

  /** A sender may pause at any chunk, so the last one before a pause is told too. */
  #reportLater(): void {
    const dueMs =
      this.#reportedAtMs === undefined ? FIRST_REPORT_MS : this.#reportedAtMs + REPORT_PERIOD_MS - performance.now();
    this.#timer ??= setTimeout(() => this.#report(), Math.max(0, dueMs));
  }

  #reportNow(): void {
    clearTimeout(this.#timer);
    this.#report();
  }

  #report(): void {
    this.#timer = undefined;
    if (this.#isClosed) return;
    this.#reportedAtMs = performance.now();
    if (this.#inFlight !== undefined) {
      this.#reportLater();
      return;
    }
    this.#inFlight = this.#send().finally(() => (this.#inFlight = undefined));
  }

  async #send(): Promise<void> {
    try {
      const outcome = await this.#write(this.#receivedBytes);
      if (outcome.applied || this.#refusal !== undefined) return;
      this.#refusal = rejectionToError(outcome);
      this.#onRefused?.(this.#refusal);
    } catch (error) {
      this.#log.debug({ err: error }, 'receive progress not recorded');
    }
  }
}

/** What a receiving request is told when the record refuses it, with the state where that is the upload's outcome. */
export function rejectionToError({ rejection, record }: RejectedChange): ServiceError {
  const id = record === undefined ? {} : { id: record.id };
  if (rejection === 'fenced' || rejection === 'state')
    return new ServiceError('upload_superseded', 'A later request with the same id has taken over from this one.', id);
  if (rejection === 'missing')
    return new ServiceError('service_unavailable', 'The record of this upload was lost meanwhile. Send it again.', {
      retryAfterMs: 1000,
    });
  if (record?.state === 'failed')
    return new ServiceError(
      'upload_interrupted',
      'The upload was silent for so long that it was given up. Send it again.',
      { ...id, state: 'failed' },
    );
  if (record?.state === 'discarded')
    return new ServiceError('upload_discarded', 'The upload has made room for others. Send it again.', {
      ...id,
      state: 'discarded',
    });
  return new ServiceError('upload_cancelled', 'The upload was cancelled while it was being received.', {
    ...id,
    state: 'cancelled',
  });
}
