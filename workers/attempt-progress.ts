import type { Logger } from '../src/telemetry/log.ts';
import { FIRST_STAGE } from '../src/record/progress.ts';
import type { ChangeOutcome } from '../src/record/record-change.ts';
import type { PipelineReport } from './pipeline.ts';
import { createThrottle, type Throttle } from './throttle.ts';

/** At most one report is sent in this time. A change of stage is sent at once. */
const REPORT_INTERVAL_MS = 100;

/** Writes one report to the record. */
export type Advance = (sequence: number, stage: string, fraction: number) => Promise<ChangeOutcome>;

/**
 * Sends the reports of an attempt to the record, throttled and one at a time. While one is being written, only the
 * newest of the others is kept. If the record rejects a report, the attempt was overtaken. The state that the record
 * has when an attempt begins is not reported again. Close it before the attempt ends, so that no report follows the
 * outcome.
 */
export class AttemptProgress {
  readonly #advance: Advance;
  readonly #onRefused: () => void;
  readonly #log: Logger;
  readonly #throttle: Throttle<PipelineReport>;
  #sequence = 0;
  #newest: PipelineReport | undefined;
  #sending: Promise<void> | undefined;

  constructor(advance: Advance, onRefused: () => void, log: Logger) {
    this.#advance = advance;
    this.#onRefused = onRefused;
    this.#log = log;
    this.#throttle = createThrottle<PipelineReport>({
      intervalMs: REPORT_INTERVAL_MS,
      isUrgent: (report, previous) => report.stage !== previous.stage,
      emit: (report) => {
        this.#newest = report;
        this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
      },
    });
  }

  report(report: PipelineReport): void {
    const isReportedAlready =
      this.#sequence === 0 && this.#newest === undefined && report.stage === FIRST_STAGE && report.fraction === 0;
    if (!isReportedAlready) this.#throttle.push(report);
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
        const outcome = await this.#advance(this.#sequence, report.stage, report.fraction);
        if (!outcome.applied) this.#onRefused();
      } catch (error) {
        this.#log.warn({ err: error }, 'progress not recorded');
      }
    }
  }
}
