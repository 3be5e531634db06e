import type { Logger } from '../src/telemetry/log.ts';
import type { ProgressState } from '../src/record/progress.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import type { Redis } from '../src/queue/connection.ts';
import { OTHER_KIND, type QueueKeys } from '../src/queue/contract.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import type { PermitUse, RunnerParts, RunOutcome } from './attempt.ts';
import type { WorkerTiming } from './worker-timing.ts';
import { PermitLoop, type HeldPermit } from './permit-loop.ts';
import { StorageOutage } from './storage-outage.ts';
import { STOPPING, SUPERSEDED } from './stop-reasons.ts';
import { Retries } from './retries.ts';
import { runUpload } from './upload-runner.ts';
import { uploadRef } from '../src/telemetry/upload-ref.ts';

/**
 * The number of abandoned calls after which the worker asks to be replaced. Node's pool has four threads, and reading
 * and writing files needs some of them.
 */
const MOST_ABANDONED_CALLS = 2;

/** Pause before an upload is tried again if its attempt could not be recorded. */
const UNRECORDED_PAUSE_MS = 5_000;

/** The parts that a worker needs besides the parts that run an upload. */
interface WorkerParts extends Omit<RunnerParts, 'noticeDependencyFault'> {
  /** The BullMQ worker uses it and duplicates it for blocking reads. The caller closes it. */
  connection: Redis;
  keys: QueueKeys;
  queue: UploadQueue;
  /** The kinds of files that this worker takes, besides `OTHER_KIND`. */
  kinds: readonly string[];
  concurrency: number;
  timing: WorkerTiming;
  /** The number of native calls that hold a thread of this process although nothing waits for them. */
  abandonedCalls: () => number;
  /** Called one or more times when a processor does not stop. This process must be replaced. */
  onUnresponsive: () => void;
  /** Called at the beginning of each attempt. */
  onBusy?: (() => void) | undefined;
}

/** A permit in use, and its upload. */
interface Use extends PermitUse {
  /** Undefined until the attempt has begun. */
  record: UploadRecord | undefined;
  /** True if a cancel may have been missed while the attempt began. */
  mustRead: boolean;
}

/** Takes permits and runs the uploads that they allow. `cancel` stops an attempt of this process. */
export class UploadWorker {
  readonly #parts: WorkerParts;
  readonly #log: Logger;
  readonly #loop: PermitLoop;
  /** One upload may be here twice, because a permit whose lock has expired may return to the same worker. */
  readonly #uses = new Set<Use>();
  readonly #stopping = new AbortController();
  readonly #outage: StorageOutage;
  readonly #retries: Retries;
  readonly #runner: RunnerParts;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#loop = new PermitLoop({
      ...parts,
      kinds: [...new Set([...parts.kinds, OTHER_KIND])],
      run: async (permit) => await this.#process(permit),
      onLocksLost: (ids) => void this.#stopLostAttempts(({ permit }) => ids.includes(permit.id)),
    });
    this.#outage = new StorageOutage({ worker: this.#loop, check: parts.checkStorage, log: parts.log });
    this.#runner = { ...parts, noticeDependencyFault: () => this.#outage.noticed() };
    this.#retries = new Retries(parts);
  }

  /** Begins to take permits. Resolves when Redis is available. */
  async start(): Promise<void> {
    await this.#loop.start();
  }

  /** Number of uploads in work now. */
  get running(): number {
    return this.#uses.size;
  }

  /** True while the worker takes no permits because the storage cannot be used. */
  get isPaused(): boolean {
    return this.#outage.isOn;
  }

  /** Stops the attempts of this upload in this process. */
  cancel(id: string): void {
    for (const use of this.#uses) {
      if (use.record === undefined) use.mustRead = true;
      else if (use.record.id === id) use.controller.abort(SUPERSEDED);
    }
  }

  /** Call it if cancels may have been missed. Stops each attempt that its record says is over. */
  stopLostAttempts(): void {
    void this.#stopLostAttempts(() => true);
  }

  /** Takes no more permits. Attempts that do not end within `graceMs` are requeued. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(STOPPING), graceMs);
    try {
      this.#outage.close();
      await this.#loop.close();
    } finally {
      this.#retries.close();
      clearTimeout(timer);
    }
  }

  async #process(permit: HeldPermit): Promise<'used' | 'back'> {
    const { onUnresponsive } = this.#parts;
    const use: Use = {
      permit,
      controller: new AbortController(),
      record: undefined,
      mustRead: false,
      stopping: this.#stopping.signal,
      onUnresponsive,
      begun: async (record) => {
        use.record = record;
        if (use.mustRead) await this.#stopLostAttempts((each) => each === use);
      },
    };
    this.#uses.add(use);
    this.#parts.onBusy?.();
    try {
      const outcome = await this.#run(use);
      if (outcome === 'done') this.#outage.worked();
      if (typeof outcome === 'object') this.#retries.later(permit.kind, { permit: permit.id }, outcome.retryInMs);
      return outcome === 'requeued' || (outcome === 'superseded' && (await this.#isStillOwn(use))) ? 'back' : 'used';
    } finally {
      this.#uses.delete(use);
      if (this.#parts.abandonedCalls() >= MOST_ABANDONED_CALLS) onUnresponsive();
    }
  }

  async #run(use: Use): Promise<RunOutcome> {
    try {
      return await runUpload(this.#runner, use);
    } catch (error) {
      const upload = use.record === undefined ? undefined : uploadRef(use.record.id);
      this.#log.warn({ err: error, upload }, 'attempt not recorded');
      return { retryInMs: UNRECORDED_PAUSE_MS * (0.5 + Math.random()) };
    }
  }

  /**
   * True if the record still names this attempt although it rejected a change, as it does for a report that was sent
   * twice. The permit is then put back, so that the upload is begun again.
   */
  async #isStillOwn({ record: begun }: Use): Promise<boolean> {
    if (begun === undefined) return false;
    try {
      return !isLost(begun, (await this.#parts.records.readProgress(begun.id))?.state);
    } catch (error) {
      this.#log.warn({ err: error, upload: uploadRef(begun.id) }, 'record of a rejected attempt not read');
      return true;
    }
  }

  /**
   * Reads the records of running uploads and stops the attempts that are over. An expired lock does not prove that,
   * because the permit may be in the queue.
   */
  async #stopLostAttempts(isMeant: (use: Use) => boolean): Promise<void> {
    for (const use of [...this.#uses].filter(isMeant)) {
      const { record: begun, controller } = use;
      if (begun === undefined) {
        use.mustRead = true;
        continue;
      }
      try {
        if (isLost(begun, (await this.#parts.records.readProgress(begun.id))?.state)) controller.abort(SUPERSEDED);
      } catch (error) {
        this.#log.debug({ err: error, upload: uploadRef(begun.id) }, 'record of a running upload not read');
      }
    }
  }
}

/** True if another attempt has begun, or the upload has ended or waits again. */
function isLost(begun: UploadRecord, record: ProgressState | undefined): boolean {
  return record?.state !== 'processing' || record.attempt !== begun.attempt;
}
