import type { Logger } from '../src/telemetry/log.ts';

/** The first and the longest pause between two checks. After a successful attempt they begin with the first again. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Limit of a check, because a hung mount never answers. */
const CHECK_LIMIT_MS = 10_000;

interface OutageParts {
  /** Takes no permits while it is paused. */
  worker: { pause(): void; resume(): void };
  /** Rejects if the storage cannot be read and written now, or is not the one of this Redis. */
  check: () => Promise<void>;
  log: Logger;
}

/**
 * Keeps a worker from taking jobs while the storage is away, so that an outage does not use up attempts of uploads. It
 * checks the storage after growing pauses until it answers. One log line marks the beginning and one the end.
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

  /** True while no job may begin. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /**
   * Call it after an attempt that a fault of the storage has ended. If the storage is away, it pauses the worker and
   * returns undefined. If other files still work, as on a nearly full disk, it returns the milliseconds after which to
   * try this upload again, so that other uploads do not wait.
   */
  async noticed(): Promise<number | undefined> {
    if (this.#isOn) return undefined;
    this.#noticing ??= this.#notice().finally(() => (this.#noticing = undefined));
    return await this.#noticing;
  }

  /** Call it after a successful attempt. */
  worked(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Ends the checks, also a running one, because a mount may hang. A paused worker stays paused. */
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
    this.#parts.worker.pause();
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
    this.#parts.worker.resume();
  }

  /** Returns the pause before the next check. Jitter keeps the workers of a fleet from checking at the same moment. */
  #nextPauseMs(): number {
    const pauseMs = this.#pauseMs * (0.75 + Math.random() / 2);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    return pauseMs;
  }

  /** Returns why the storage cannot be used, or undefined if it can. */
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
