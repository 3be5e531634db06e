import type { Redis } from '../../src/queue/connection.ts';
import type { QueueKeys } from '../../src/queue/contract.ts';
import { waitAtMost } from '../../src/server/shutdown.ts';
import type { Installation } from '../../src/storage/installation.ts';
import { sharedDelay } from '../../src/telemetry/shared-timer.ts';
import { handleDueUploads, type DueParts } from './due-uploads.ts';
import { JanitorLease } from './janitor-lease.ts';
import { addMissingPermits, type PermitParts } from './missing-permits.ts';
import { reconcileStorage, type ReconciliationParts } from './reconciliation-scan.ts';

type SweeperParts = DueParts &
  PermitParts &
  ReconciliationParts & {
    connection: Redis;
    keys: QueueKeys;
    periodMs: number;
    /** Verified before each sweep, so that the janitor never works on a Redis or a storage of another installation. */
    installation: Pick<Installation, 'verify'>;
  };

/** If the worker that sweeps dies, another worker takes over after this time. */
const LEASE_MS = 10_000;
const RENEW_PERIOD_MS = 3_000;

/** Each worker asks for the lease about four times per period, so a sweep starts at most about 0.4 periods late. */
const CHECKS_PER_PERIOD = 4;

/** The wait for a running sweep at shutdown. Redis may be gone already. */
const CLOSE_LIMIT_MS = 2_000;

/**
 * The janitor: repairs what dead processes have left unfinished. One worker at a time runs a sweep every `periodMs`.
 * Each part compares the current state with the records, so running it twice changes nothing.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #lease: JanitorLease;
  readonly #stopping = new AbortController();
  #isPutOff = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    this.#lease = new JanitorLease(parts.connection, parts.keys.janitor);
  }

  /** Sweeps whenever a sweep is due, until `close`. Several workers may call this at the same time. */
  start(): void {
    this.#loop = this.#run();
  }

  /** Stops a running sweep at its next step, and waits for it. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await waitAtMost(this.#loop, CLOSE_LIMIT_MS);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#sweepIfDue();
      } catch (error) {
        if (!signal.aborted) this.#parts.log.warn({ err: error }, 'sweep failed');
      }
      // Jitter spreads the requests of a fleet. Workers of one machine may ask at the same moment, because they share
      // the steps of the timer. Then one of them gets the lease.
      const pauseMs = (this.#parts.periodMs / CHECKS_PER_PERIOD) * (0.75 + Math.random() / 2);
      await sharedDelay(pauseMs, signal);
    }
  }

  async #sweepIfDue(): Promise<void> {
    if (!(await this.#lease.take(LEASE_MS))) return;
    const renewal = setInterval(() => void this.#renew(LEASE_MS), RENEW_PERIOD_MS);
    try {
      if (!(await this.#mayBegin())) return;
      await this.#sweep();
    } finally {
      clearInterval(renewal);
      // Keeps the lease until the next sweep is due. After an aborted sweep another worker may start at once.
      await this.#renew(this.#stopping.signal.aborted ? 1 : this.#parts.periodMs);
    }
  }

  /** A step that fails does not keep the next ones from running. Rejects with the first error. */
  async #sweep(): Promise<void> {
    const { signal } = this.#stopping;
    const steps = [
      () => addMissingPermits(this.#parts),
      // The scan comes before the due uploads, because clients wait for uploads that Redis has lost. Due uploads mostly
      // need only a clean-up.
      () => reconcileStorage(this.#parts, signal),
      () => handleDueUploads(this.#parts, signal),
    ];
    const errors: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  async #mayBegin(): Promise<boolean> {
    const { installation, log } = this.#parts;
    try {
      await installation.verify();
    } catch (error) {
      if (!this.#isPutOff) log.warn({ err: error }, 'janitor paused: the storage cannot be used');
      this.#isPutOff = true;
      return false;
    }
    if (this.#isPutOff) log.info('janitor resumed');
    this.#isPutOff = false;
    return true;
  }

  async #renew(forMs: number): Promise<void> {
    try {
      await this.#lease.renew(forMs);
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'janitor lease not renewed');
    }
  }
}
