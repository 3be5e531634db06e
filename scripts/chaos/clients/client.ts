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

/** The parts that all clients share. */
export interface ClientEnv {
  readonly urls: readonly string[];
  readonly clientLog: ClientLog;
  readonly picture: (sizeBytes: number, seed: number) => Buffer;
  readonly lossBetween: LossBetween;
  /** The time at which clients give up, by the clock of `performance.now()`. It may change. */
  readonly deadlineMs: () => number;
}

/** The result of one client. */
export interface ClientResult {
  readonly plan: UploadPlan;
  readonly id: string | undefined;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The time of the 2xx answer, or undefined if there was none. */
  readonly acceptedAtMs: number | undefined;
  /** The time at which the accepted request was sent. Redis may lose the upload from then on. */
  readonly sentAtMs: number;
  /** The last state that the client has seen, if any. */
  readonly ended: UploadState | 'gone' | undefined;
  /** The final state that an answer has promised, if any. */
  readonly promised: UploadState | 'gone' | undefined;
  /** The time of the answer with the promise, or of the end that the client has seen. */
  readonly endRequestedAtMs: number | undefined;
  /** True if an unanswered request of the client may still start the upload again. */
  readonly mayRestart: boolean;
  readonly offences: readonly string[];
  /** True if the client did not finish before the deadline. */
  readonly isOutOfTime: boolean;
}

const WAYS = { put: (sending: Sending) => sendRaw(sending, randomUUID()), form: sendForm, tus: sendTus };

/** One client from its first byte to the end of its upload. Never rejects because of the service. */
export class Client {
  readonly #plan: UploadPlan;
  readonly #env: ClientEnv;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #sending: Sending;
  readonly #sha256: string;
  readonly #checker: ProgressChecker;
  #acceptedAtMs: number | undefined;
  #isSent = false;
  #isIntentDone: boolean;
  #isDeleting = false;
  #promised: UploadState | 'gone' | undefined;
  #endRequestedAtMs: number | undefined;

  /** @param headers of every request of the client */
  constructor(plan: UploadPlan, env: ClientEnv, headers: Readonly<Record<string, string>> = {}) {
    this.#plan = plan;
    this.#env = env;
    this.#headers = headers;
    const bytes = env.picture(plan.sizeBytes, plan.seed);
    this.#sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#checker = new ProgressChecker(env.lossBetween);
    this.#isIntentDone = plan.intent === 'keep';
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
      const [ended] = await Promise.all([this.#follow(), this.#send(), this.#intent()]);
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
      isSettled: () => this.#isSent && this.#isIntentDone,
      mayRestart: () => !this.#isSent || this.#sending.unanswered > 0,
      mayBeGone: () => this.#isDeleting,
      mayBeLost: () => this.#plan.intent !== 'keep',
    });
  }

  /** Cancels or deletes the upload if the plan of the client says so. */
  async #intent(): Promise<void> {
    const { intent, intentAfterMs } = this.#plan;
    if (intent === 'keep') return;
    const caller = this.#caller(2);
    await this.#until(() => (intent === 'stop' ? this.#sending.id !== undefined : this.#isSent));
    await caller.rest(intentAfterMs);
    if (intent === 'delete') await this.#delete(caller);
    else await this.#cancel(caller);
    this.#isIntentDone = true;
  }

  async #cancel(caller: Caller): Promise<void> {
    this.#sending.isCalledOff = true;
    const answer = await caller.ask({ method: 'POST', path: `/uploads/${this.#sending.id}/cancel` });
    this.#endRequestedAtMs = performance.now();
    const reported = reportedUpload(answer.body);
    if (answer.status === 202) this.#promised = 'cancelled';
    else if (answer.status === 200 && reported !== undefined) this.#promised = reported.state;
    // After an early stop the upload may not have reached the service at all.
    else if (this.#plan.intent !== 'stop' && !this.#isLost())
      this.#env.clientLog.offence(
        `${answer.status} ${codeOf(answer.body)} to the cancel of ${this.#sending.id}`,
        answer,
      );
  }

  async #delete(caller: Caller): Promise<void> {
    this.#isDeleting = true;
    const answer = await caller.ask({ method: 'DELETE', path: `/uploads/${this.#sending.id}` });
    this.#endRequestedAtMs = performance.now();
    // An earlier try may have deleted it and lost its answer.
    if (answer.status === 204 || codeOf(answer.body) === 'upload_gone') this.#promised = 'gone';
    else if (!this.#isLost())
      this.#env.clientLog.offence(
        `${answer.status} ${codeOf(answer.body)} to the delete of ${this.#sending.id}`,
        answer,
      );
  }

  #isLost(): boolean {
    return this.#env.lossBetween(this.#sending.caller.lastSentAtMs - 1500, performance.now());
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (performance.now() > this.#env.deadlineMs()) throw new OutOfTime('a condition');
      await this.#sending.caller.rest(10);
    }
  }

  #caller(number: number): Caller {
    const { urls, clientLog, deadlineMs } = this.#env;
    return new Caller(urls, new Random(this.#plan.seed + number), clientLog, deadlineMs, this.#headers);
  }

  #result(ended: UploadState | 'gone' | undefined, isOutOfTime: boolean): ClientResult {
    const { id, bytes, unanswered } = this.#sending;
    // A request that was being sent when the client stopped may arrive after the cancel and start the upload again.
    const isDoubtful = this.#plan.intent === 'stop' && (this.#acceptedAtMs !== undefined || unanswered > 0);
    return {
      plan: this.#plan,
      id,
      ended,
      isOutOfTime,
      sizeBytes: bytes.length,
      sha256: this.#sha256,
      acceptedAtMs: this.#acceptedAtMs,
      sentAtMs: this.#sending.caller.lastSentAtMs,
      promised: isDoubtful ? undefined : this.#promised,
      endRequestedAtMs: this.#endRequestedAtMs,
      mayRestart: unanswered > 0,
      offences: this.#checker.offences.map((offence) => `${id} ${offence}`),
    };
  }
}
