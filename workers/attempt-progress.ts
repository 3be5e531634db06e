import type { Logger } from '../src/telemetry/log.ts';
import { FIRST_STAGE } from '../src/record/progress.ts';
import type { ChangeOutcome } from '../src/record/change-outcome.ts';
import type { StoredVariant } from '../src/record/record-fields.ts';
import type { PipelineReport } from './pipeline.ts';
import { createThrottle, type Throttle } from './throttle.ts';

/** At most one report is sent in this time, except for new stages and files. */
const REPORT_INTERVAL_MS = 100;

/**
 * A new stage and a new file are sent after this time, together with all that follow within it. A small file is
 * finished by then, and its outcome is the only change that clients and Redis have to handle.
 */
const GATHER_MS = 50;

/** Writes one report to the record, with the files made since the last one. */
export type Advance = (
  sequence: number,
  stage: string,
  fraction: number,
  files: readonly StoredVariant[],
) => Promise<ChangeOutcome>;

/** The newest progress, and the number of files made so far. */
type Report = PipelineReport & { readonly fileCount: number };

/**
 * Sends the reports and the files of an attempt to the record, throttled and one at a time. While one is being written,
 * only the newest of the others is kept. Files are kept until they are written. If the record rejects a report, the
 * attempt was overtaken. The state that the record has when an attempt begins is not reported again. Close it before
 * the attempt ends, so that no report follows the outcome.
 */
export class AttemptProgress {
  readonly #advance: Advance;
  readonly #onRefused: () => void;
  readonly #log: Logger;
  readonly #throttle: Throttle<Report>;
  readonly #files: StoredVariant[] = [];
  #writtenFiles = 0;
  #sequence = 0;
  #last: PipelineReport = { stage: FIRST_STAGE, fraction: 0 };
  #newest: Report | undefined;
  #sending: Promise<void> | undefined;

  constructor(advance: Advance, onRefused: () => void, log: Logger) {
    this.#advance = advance;
    this.#onRefused = onRefused;
    this.#log = log;
    this.#throttle = createThrottle<Report>({
      intervalMs: REPORT_INTERVAL_MS,
      urgentDelayMs: GATHER_MS,
      isUrgent: (report, previous) => report.stage !== previous.stage || report.fileCount !== previous.fileCount,
      emit: (report) => {
        this.#newest = report;
        this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
      },
    });
  }

  /** All files announced so far. */
  get files(): readonly StoredVariant[] {
    return this.#files;
  }

  /** True once something was reported. */
  get isBegun(): boolean {
    return this.#sequence > 0 || this.#newest !== undefined;
  }

  report(report: PipelineReport): void {
    const isReportedAlready =
      this.#sequence === 0 && this.#newest === undefined && report.stage === FIRST_STAGE && report.fraction === 0;
    this.#last = report;
    if (!isReportedAlready) this.#throttle.push({ ...report, fileCount: this.#files.length });
  }

  /** Adds a stored file to the next report. From then on it may be served. */
  announce(file: StoredVariant): void {
    this.#files.push(file);
    this.#throttle.push({ ...this.#last, fileCount: this.#files.length });
  }

  /** Forgets the reports and files that are not being written now. Call it if the outcome contains them. */
  drop(): void {
    this.#throttle.drop();
    this.#newest = undefined;
  }

  /** Sends the newest report if it still waits, and resolves when it is written. */
  async close(): Promise<void> {
    this.#throttle.close();
    await this.#sending;
  }

  async #send(): Promise<void> {
    for (let report = this.#newest; report !== undefined; report = this.#newest) {
      this.#newest = undefined;
      this.#sequence += 1;
      try {
        const files = this.#files.slice(this.#writtenFiles, report.fileCount);
        const outcome = await this.#advance(this.#sequence, report.stage, report.fraction, files);
        this.#writtenFiles = report.fileCount;
        if (!outcome.applied) this.#onRefused();
      } catch (error) {
        this.#log.warn({ err: error }, 'progress not recorded');
      }
    }
  }
}
