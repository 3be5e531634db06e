import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from '../../src/queue/connection.ts';
import type { QueueKeys } from '../../src/queue/contract.ts';
import { settleWithin } from '../../src/server/shutdown.ts';
import type { Installation } from '../../src/storage/installation.ts';
import { lookAfterDue, type DueParts } from './due-uploads.ts';
import { JanitorLease } from './janitor-lease.ts';
import { addMissingJobs, type MissingJobParts } from './missing-jobs.ts';
import { reconcileStorage, type ReconciliationParts } from './reconciliation-scan.ts';

/** What the janitor needs. */
export type SweeperParts = DueParts &
  MissingJobParts &
  ReconciliationParts & {
    connection: Redis;
    keys: QueueKeys;
    periodMs: number;
    /** Compared before each sweep: nothing may be restored or removed for a foreign Redis, or in a foreign storage. */
    installation: Pick<Installation, 'verify'>;
  };

/** A sweep whose worker died is taken over after this time. */
const LEASE_MS = 10_000;
const RENEW_PERIOD_MS = 3_000;

/** Each worker asks for the lease four times a period: a sweep starts at most a quarter of a period late. */
const CHECKS_PER_PERIOD = 4;

/** For a sweep under way at shutdown, whose Redis may be gone. */
const CLOSE_LIMIT_MS = 2_000;

/**
 * Repairs what dead processes left behind: one worker of all runs it, every `periodMs`. Each part compares the present
 * state with the records, so that running it twice changes nothing.
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

  /** Begins to sweep whenever it is due, until `close`. Any number of workers may. */
  start(): void {
    this.#loop = this.#run();
  }

  /** Ends a sweep under way at its next step. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await settleWithin(this.#loop, CLOSE_LIMIT_MS);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#sweepIfDue();
      } catch (error) {
        if (!signal.aborted) this.#parts.log.warn({ err: error }, 'sweep failed');
      }
      // With jitter, so that the workers of a fleet do not ask together.
      const pauseMs = (this.#parts.periodMs / CHECKS_PER_PERIOD) * (0.75 + Math.random() / 2);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #sweepIfDue(): Promise<void> {
    if (!(await this.#lease.take(LEASE_MS))) return;
    const renewal = setInterval(() => void this.#renew(LEASE_MS), RENEW_PERIOD_MS);
    try {
      if (!(await this.#mayBegin())) return;
      await addMissingJobs(this.#parts);
      await lookAfterDue(this.#parts, this.#stopping.signal);
      await reconcileStorage(this.#parts, this.#stopping.signal);
    } finally {
      clearInterval(renewal);
      // Nobody else sweeps until the next one is due; a sweep that was broken off is taken over sooner.
      await this.#renew(this.#stopping.signal.aborted ? 1 : this.#parts.periodMs);
    }
  }

  async #mayBegin(): Promise<boolean> {
    const { installation, log } = this.#parts;
    try {
      await installation.verify();
    } catch (error) {
      if (!this.#isPutOff) log.warn({ err: error }, 'sweeps are put off until the storage can be used');
      this.#isPutOff = true;
      return false;
    }
    if (this.#isPutOff) log.info('sweeps go on');
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
