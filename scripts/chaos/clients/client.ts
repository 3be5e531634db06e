import { createHash, randomUUID } from 'node:crypto';
import type { UploadState } from '../../../src/wire/documents.ts';
import { Random } from '../random.ts';
import type { UploadPlan } from '../upload-plan.ts';
import { ProgressChecker, type LossBetween } from '../progress-checker.ts';
import { Caller, codeOf, OutOfTime } from './caller.ts';
import type { ClientLog } from './client-log.ts';
import { follow } from './follow.ts';
import { sendForm } from './send-form.ts';
import { sendRaw } from './send-raw.ts';
import { sendTus } from './send-tus.ts';
import { reportedUpload, type Sending } from './sending.ts';

/** What every client is given. */
export interface ClientEnv {
  readonly urls: readonly string[];
  readonly clientLog: ClientLog;
  readonly picture: (sizeBytes: number, seed: number) => Buffer;
  readonly lossBetween: LossBetween;
  /** When clients give up, by the clock of `performance.now()`; it may move. */
  readonly deadlineMs: () => number;
}

/** What one client can tell when it is through. */
export interface ClientResult {
  readonly plan: UploadPlan;
  readonly id: string | undefined;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** When the upload was answered with a 2xx; undefined where it never was. */
  readonly acceptedAtMs: number | undefined;
  /** The last word of the upload that the client has seen; undefined where it did not come to that. */
  readonly ended: UploadState | 'gone' | undefined;
  /** What it must have ended as, as far as answers have promised it. */
  readonly promised: UploadState | 'gone' | undefined;
  /** When its client was promised that, or saw the end. */
  readonly wishedAtMs: number | undefined;
  /** A request of it may begin the upload anew at any time, which is none of the service's doing. */
  readonly mayRestart: boolean;
  readonly offences: readonly string[];
  /** The run has given it up. */
  readonly isOutOfTime: boolean;
}

const WAYS = { put: (sending: Sending) => sendRaw(sending, randomUUID()), form: sendForm, tus: sendTus };

/** One client from its first byte to the end of its upload. Never rejects for what the service does. */
export class Client {
  readonly #plan: UploadPlan;
  readonly #env: ClientEnv;
  readonly #sending: Sending;
  readonly #sha256: string;
  readonly #checker: ProgressChecker;
  #acceptedAtMs: number | undefined;
  #isSent = false;
  #isWishDone: boolean;
  #isDeleting = false;
  #promised: UploadState | 'gone' | undefined;
  #wishedAtMs: number | undefined;

  constructor(plan: UploadPlan, env: ClientEnv) {
    this.#plan = plan;
    this.#env = env;
    const bytes = env.picture(plan.sizeBytes, plan.seed);
    this.#sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#checker = new ProgressChecker(env.lossBetween);
    this.#isWishDone = plan.wish === 'keep';
    this.#sending = {
      bytes,
      pieces: plan.pieces,
      caller: this.#caller(0),
      clientLog: env.clientLog,
      id: undefined,
      unanswered: 0,
      isCalledOff: false,
    };
  }

  async run(): Promise<ClientResult> {
    try {
      const [ended] = await Promise.all([this.#follow(), this.#send(), this.#wish()]);
      return this.#result(ended, false);
    } catch (error) {
      if (error instanceof OutOfTime) return this.#result(undefined, true);
      throw error;
    }
  }

  async #send(): Promise<void> {
    const isAccepted = await WAYS[this.#plan.way](this.#sending);
    if (isAccepted) this.#acceptedAtMs = performance.now();
    this.#isSent = true;
  }

  async #follow(): Promise<UploadState | 'gone' | undefined> {
    const isEarly = this.#plan.followsEarly && this.#plan.way === 'put';
    await this.#until(() => (isEarly ? this.#sending.id !== undefined : this.#isSent));
    const { id } = this.#sending;
    if (id === undefined || (!isEarly && this.#acceptedAtMs === undefined)) return undefined;
    const { clientLog, lossBetween } = this.#env;
    const { followsBy: by, holdMs } = this.#plan;
    return await follow({
      id,
      clientLog,
      lossBetween,
      by,
      holdMs,
      caller: this.#caller(1),
      checker: this.#checker,
      isAccepted: () => this.#acceptedAtMs !== undefined,
      isSettled: () => this.#isSent && this.#isWishDone,
      mayRestart: () => !this.#isSent || this.#sending.unanswered > 0,
      mayBeGone: () => this.#isDeleting,
      mayBeLost: () => this.#plan.wish !== 'keep',
    });
  }

  /** Cancels or deletes where the plan says so, when the plan says so. */
  async #wish(): Promise<void> {
    const { wish, wishAfterMs } = this.#plan;
    if (wish === 'keep') return;
    const caller = this.#caller(2);
    await this.#until(() => (wish === 'stop' ? this.#sending.id !== undefined : this.#isSent));
    await caller.rest(wishAfterMs);
    if (wish === 'delete') await this.#delete(caller);
    else await this.#cancel(caller);
    this.#isWishDone = true;
  }

  async #cancel(caller: Caller): Promise<void> {
    this.#sending.isCalledOff = true;
    const answer = await caller.ask({ method: 'POST', path: `/uploads/${this.#sending.id}/cancel` });
    this.#wishedAtMs = performance.now();
    const told = reportedUpload(answer.body);
    if (answer.status === 202) this.#promised = 'cancelled';
    else if (answer.status === 200 && told !== undefined) this.#promised = told.state;
    // It may not have come to the service at all where it was called off early.
    else if (this.#plan.wish !== 'stop' && !this.#isLost())
      this.#env.clientLog.offence(
        `${answer.status} ${codeOf(answer.body)} to the cancel of ${this.#sending.id}`,
        answer,
      );
  }

  async #delete(caller: Caller): Promise<void> {
    this.#isDeleting = true;
    const answer = await caller.ask({ method: 'DELETE', path: `/uploads/${this.#sending.id}` });
    this.#wishedAtMs = performance.now();
    // An earlier try may have done it, and lost its answer.
    if (answer.status === 204 || codeOf(answer.body) === 'upload_gone') this.#promised = 'gone';
    else if (!this.#isLost())
      this.#env.clientLog.offence(
        `${answer.status} ${codeOf(answer.body)} to the delete of ${this.#sending.id}`,
        answer,
      );
  }

  #isLost(): boolean {
    return this.#env.lossBetween((this.#acceptedAtMs ?? 0) - 1500, performance.now());
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (performance.now() > this.#env.deadlineMs()) throw new OutOfTime('a condition');
      await this.#sending.caller.rest(10);
    }
  }

  #caller(number: number): Caller {
    return new Caller(this.#env.urls, new Random(this.#plan.seed + number), this.#env.clientLog, this.#env.deadlineMs);
  }

  #result(ended: UploadState | 'gone' | undefined, isOutOfTime: boolean): ClientResult {
    const { id, bytes, unanswered } = this.#sending;
    // A request that was under way when it was called off may have come after the cancel, and have begun it anew.
    const isDoubtful = this.#plan.wish === 'stop' && (this.#acceptedAtMs !== undefined || unanswered > 0);
    return {
      plan: this.#plan,
      id,
      ended,
      isOutOfTime,
      sizeBytes: bytes.length,
      sha256: this.#sha256,
      acceptedAtMs: this.#acceptedAtMs,
      promised: isDoubtful ? undefined : this.#promised,
      wishedAtMs: this.#wishedAtMs,
      mayRestart: unanswered > 0,
      offences: this.#checker.offences.map((offence) => `${id} ${offence}`),
    };
  }
}
