import type { Logger } from '../src/telemetry/log.ts';
import type { PausableWorker } from './worker-pauses.ts';

/** Pauses grow from the first to the longest, and start anew after an attempt that ended well. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** A mount that hangs never answers. */
const CHECK_LIMIT_MS = 10_000;

/** What an outage is noticed and ended by. */
export interface OutageParts {
  worker: Pick<PausableWorker, 'pause' | 'resume'>;
  /** Rejects if the storage cannot be read and written now, or is not the one of this Redis. */
  check: () => Promise<void>;
  log: Logger;
}

/**
 * Keeps a worker from taking jobs while the storage is away, so that an outage is not charged to the uploads that wait.
 * It is checked after growing pauses until it answers. One line in the log says when it began, and one when it ended.
 */
export class StorageOutage {
  readonly #parts: OutageParts;
  #pauseMs = FIRST_PAUSE_MS;
  #isOn = false;
  #timer: NodeJS.Timeout | undefined;
  #noticing: Promise<number | undefined> | undefined;
  #isClosed = false;
  #endCheck: () => void = () => undefined;

  constructor(parts: OutageParts) {
    this.#parts = parts;
  }

  /** True while no job is to be begun. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /**
   * To be called after an attempt that a fault of the storage has ended. Undefined if the storage is away: the worker is
   * paused then. If it works otherwise, as a nearly full disk does for small files, the milliseconds after which to try
   * this upload again, so that others are not kept waiting.
   */
  async noticed(): Promise<number | undefined> {
    if (this.#isOn) return undefined;
    this.#noticing ??= this.#notice().finally(() => (this.#noticing = undefined));
    return await this.#noticing;
  }

  /** To be called after an attempt that ended well. */
  worked(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Ends the checks, also one under way: nobody waits for a mount that hangs. A worker that is paused stays so. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#endCheck();
  }

  async #notice(): Promise<number | undefined> {
    const error = await this.#fault();
    if (error === undefined) return this.#nextPauseMs();
    if (this.#isClosed) return undefined;
    this.#isOn = true;
    this.#parts.log.warn({ err: error }, 'storage is away, jobs wait');
    void this.#parts.worker.pause(true);
    this.#checkLater();
    return undefined;
  }

  #checkLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#checkAgain(), this.#nextPauseMs());
  }

  async #checkAgain(): Promise<void> {
    if ((await this.#fault()) !== undefined) return this.#checkLater();
    if (this.#isClosed) return;
    this.#isOn = false;
    this.#parts.log.info('storage is back');
    await this.#parts.worker.resume();
  }

  /** With jitter, so that the workers of a fleet do not ask together. */
  #nextPauseMs(): number {
    const pauseMs = this.#pauseMs * (0.75 + Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return pauseMs;
  }

  /** Why the storage cannot be used; undefined if it can. */
  async #fault(): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<unknown>((resolve) => {
      this.#endCheck = () => resolve(new Error('the storage does not answer'));
      timer = setTimeout(this.#endCheck, CHECK_LIMIT_MS);
      if (this.#isClosed) this.#endCheck();
    });
    const checked = this.#parts.check().then(
      () => undefined,
      (error: unknown) => error ?? new Error('the storage cannot be used'),
    );
    const fault = await Promise.race([checked, late]);
    clearTimeout(timer);
    return fault;
  }
}
