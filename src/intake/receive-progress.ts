import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ChangeOutcome, RejectedChange } from '../record/change-outcome.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import type { Subscribe } from '../record/record-subscription.ts';

/** At most one report is sent in this time. */
const REPORT_PERIOD_MS = 150;

/** Small files are complete before this time and need no report. */
const FIRST_REPORT_MS = 50;

/** Sends the count of received bytes to the record. */
export type ReportReceived = (receivedBytes: number) => Promise<ChangeOutcome>;

/** Calls `report` now, and each time another request may have changed the upload. Returns the release. */
type ListenForOtherRequests = (report: () => void) => () => void;

/**
 * Writes the progress of a receiving file to its record, without delaying the bytes. The record rejects a report if
 * another request has taken over or the upload was cancelled. The next chunk then throws `upload_superseded` (409) or
 * `upload_cancelled` (410). If Redis does not respond, reports are lost and the upload continues.
 */
export class ReceiveProgress {
  readonly #write: ReportReceived;
  readonly #log: Logger;
  #receivedBytes = 0;
  #type: string | null = null;
  #reportedAtMs: number | undefined;
  #inFlight: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rejection: ServiceError | undefined;
  #onRejected: ((rejection: ServiceError) => void) | undefined;
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

  /** Null until the type is determined from the first bytes. */
  get type(): string | null {
    return this.#type;
  }

  typed(type: string): void {
    this.#type = type;
  }

  /**
   * Reports a rejection immediately, even if no more chunks arrive: an event of another request triggers a report.
   * Starts after `FIRST_REPORT_MS`, when small files are complete. Call it once.
   */
  watchForRejection(listen: ListenForOtherRequests, onRejected: (rejection: ServiceError) => void): void {
    this.#onRejected = onRejected;
    this.#listenTimer = setTimeout(() => {
      this.#endListening = listen(() => this.#reportNow());
    }, FIRST_REPORT_MS);
  }

  /** Counts a chunk. Throws if the record has rejected a report. */
  received(byteCount: number): void {
    if (this.#rejection !== undefined) throw this.#rejection;
    this.#receivedBytes += byteCount;
    this.#reportLater();
  }

  /** Stops reporting. Resolves when no report is running. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#listenTimer);
    this.#endListening?.();
    this.#isClosed = true;
    await this.#inFlight;
  }

  /** Delays the report instead of skipping it, because the client may pause after any chunk. */
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
      // Redis may have lost the record. It is created again when the whole file is stored.
      if (outcome.applied || outcome.rejection === 'missing' || this.#rejection !== undefined) return;
      this.#rejection = rejectionToError(outcome);
      this.#onRejected?.(this.#rejection);
    } catch (error) {
      this.#log.debug({ err: error }, 'receive progress not written');
    }
  }
}

/** Returns the error for a rejected change. It has the state if the upload has a final one. */
export function rejectionToError({ rejection, record }: RejectedChange): ServiceError {
  const id = record === undefined ? {} : { id: record.id };
  if (rejection === 'fenced' || rejection === 'state')
    return new ServiceError(
      'upload_superseded',
      'A later request with the same id has replaced this one. Follow the upload with GET /uploads/{id}.',
      id,
    );
  if (rejection === 'missing')
    return new ServiceError('service_unavailable', 'The record of this upload was lost. Send the file again.', {
      retryAfterMs: 1000,
    });
  if (record?.state === 'failed')
    return new ServiceError(
      'upload_interrupted',
      'No bytes arrived for too long, so the upload was ended. Send the file again.',
      { ...id, state: 'failed' },
    );
  if (record?.state === 'discarded')
    return new ServiceError(
      'upload_discarded',
      'The queue was full, so this upload was discarded. Send the file again.',
      { ...id, state: 'discarded' },
    );
  return new ServiceError('upload_cancelled', 'The upload was cancelled. Send the file again if you still need it.', {
    ...id,
    state: 'cancelled',
  });
}

/** Calls `report` if another request has changed a receiving upload: it was ended or begun again. */
export function listenForOtherRequests(
  { listen }: { listen: Subscribe },
  { id, version, phaseStartedAtMs }: UploadRecord,
): ListenForOtherRequests {
  return (report) =>
    listen({
      ids: [id],
      isDone: false,
      // A report replaces the read, because the record answers it with a rejection.
      read: async () => report(),
      changed: (event) =>
        event.version <= version || (event.state === 'receiving' && event.phaseStartedAtMs === phaseStartedAtMs),
    });
}
