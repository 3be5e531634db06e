import type { Logger } from '../src/telemetry/log.ts';
import { FIRST_STAGE } from '../src/record/progress.ts';
import type { ChangeOutcome } from '../src/record/record-change.ts';
import type { PipelineReport } from './pipeline.ts';
import { createThrottle, type Throttle } from './throttle.ts';

/** At most one report in this time, besides every change of stage. */
const REPORT_INTERVAL_MS = 100;

/** Writes one report to the record. */
export type Advance = (sequence: number, stage: string, fraction: number) => Promise<ChangeOutcome>;

/**
 * Sends an attempt's reports to the record, throttled at the source and one after the other. The record's
 * refusal is the sign that the attempt was overtaken. What the record says by itself when an attempt begins is
 * not told again. Close it before the attempt ends, so that no late report comes after the outcome.
 */
export class AttemptProgress {
  readonly #advance: Advance;
  readonly #onRefused: () => void;
  readonly #log: Logger;
  readonly #throttle: Throttle<PipelineReport>;
  #sequence = 0;
  #written: Promise<void> = Promise.resolve();

  constructor(advance: Advance, onRefused: () => void, log: Logger) {
    this.#advance = advance;
    this.#onRefused = onRefused;
    this.#log = log;
    this.#throttle = createThrottle<PipelineReport>({
      intervalMs: REPORT_INTERVAL_MS,
      isUrgent: (report, previous) => report.stage !== previous.stage,
      emit: (report) => this.#write(report),
    });
  }

  report(report: PipelineReport): void {
    const isToldAlready = this.#sequence === 0 && report.stage === FIRST_STAGE && report.fraction === 0;
    if (!isToldAlready) this.#throttle.push(report);
  }

  /** Sends what still waits; resolves when the last report is written. */
  async close(): Promise<void> {
    this.#throttle.close();
    await this.#written;
  }

  #write(report: PipelineReport): void {
    const sequence = ++this.#sequence;
    this.#written = this.#written.then(async () => {
      try {
        const outcome = await this.#advance(sequence, report.stage, report.fraction);
        if (!outcome.made) this.#onRefused();
      } catch (error) {
        this.#log.warn({ err: error }, 'progress not recorded');
      }
    });
  }
}
