import type { DeferredResult } from '../deferred/deferred-result.ts';
import { ResponseEntity } from '../deferred/response-entity.ts';
import { problemOf, ServiceError } from '../errors.ts';
import { RETRY_AFTER_TIMEOUT_MS, retryAfterSeconds } from '../http/problem.ts';
import type { Redis } from '../queue/connection.ts';
import { RE_READ, waitForRecords, type RecordWait } from '../record/record-wait.ts';
import { jobKey, type JobEvent, type JobEvents } from './job-events.ts';
import { isOver, readJob, type JobState } from './job-state.ts';

/** The job that a client asks for. */
export interface RequestedJob {
  readonly queue: string;
  readonly id: string;
  /** The version that the client has seen. Undefined: only the end of the job is of interest. */
  readonly since: string | undefined;
  /** If undefined, the manager's default applies. */
  readonly timeoutMs: number | undefined;
}

/** The parts that a wait for a job works with. */
export interface JobWaitParts {
  readonly connection: Redis;
  readonly prefix: string;
  readonly events: JobEvents;
  /** True to send the reason of a failed job to the client. */
  readonly showsReasons: boolean;
}

/** Waits until the job is over, or has another version than `since`. Rejects with `unknown_job` (404). */
export async function waitForJob(parts: JobWaitParts, asked: RequestedJob): Promise<DeferredResult<ResponseEntity>> {
  return await waitForRecords(parts.events.registry, new JobWait(parts, asked));
}

class JobWait implements RecordWait<ResponseEntity, JobEvent> {
  readonly ids: readonly [string];
  readonly timeoutMs: number | undefined;
  readonly #parts: JobWaitParts;
  readonly #asked: RequestedJob;
  #seen: JobState | undefined;

  constructor(parts: JobWaitParts, asked: RequestedJob) {
    this.ids = [jobKey(asked.queue, asked.id)];
    this.timeoutMs = asked.timeoutMs;
    this.#parts = parts;
    this.#asked = asked;
  }

  async read(): Promise<ResponseEntity | undefined> {
    const { connection, prefix } = this.#parts;
    const { queue, id, since } = this.#asked;
    const job = await readJob(connection, { queueKey: `${prefix}:${queue}`, id });
    if (job === undefined) {
      if (this.#seen === undefined) throw unknownJob();
      return problem('unknown_job', unknownJob().message);
    }
    this.#seen = job;
    const hasMoved = since !== undefined && since !== job.version;
    return hasMoved || isOver(job) ? this.#answer(job, false) : undefined;
  }

  decide({ last }: JobEvent): ResponseEntity | typeof RE_READ | undefined {
    if (last !== undefined) return this.#answer(last, false);
    // Every other event may be a new version, or the removal of the job.
    return RE_READ;
  }

  timeoutValue(): ResponseEntity {
    if (this.#seen === undefined) throw unknownJob();
    return this.#answer(this.#seen, true);
  }

  #answer(job: JobState, isLate: boolean): ResponseEntity {
    const { queue, id } = this.#asked;
    const { state, version, progress, returnValue, failedReason } = job;
    const head = { queue, id, state, version };
    if (state === 'completed') return entity(200, { ...head, returnValue, final: true, timedOut: false });
    if (state === 'failed') {
      const reason = this.#parts.showsReasons ? { failedReason } : {};
      return problem('job_failed', 'The job has failed. Its queue has the reason.', {
        ...head,
        ...reason,
        final: true,
      });
    }
    const headers: Record<string, string> = isLate ? { 'Retry-After': retryAfterSeconds(RETRY_AFTER_TIMEOUT_MS) } : {};
    return entity(202, { ...head, progress, final: false, timedOut: isLate }, headers);
  }
}

function unknownJob(): ServiceError {
  return new ServiceError(
    'unknown_job',
    'There is no job with this id, or it was removed. Check the queue and the id.',
  );
}

function problem(code: 'unknown_job' | 'job_failed', detail: string, more: object = {}): ResponseEntity {
  const document = { ...problemOf(code, detail), ...more };
  return entity(document.status, document, { 'Content-Type': 'application/problem+json' });
}

function entity(status: number, body: object, headers: Readonly<Record<string, string>> = {}): ResponseEntity {
  return new ResponseEntity({ status, body, headers: { 'Cache-Control': 'no-store', ...headers } });
}
