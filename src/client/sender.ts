import type { Problem, Progress, Upload } from '../wire/documents.ts';
import type { Attempt } from './attempt.ts';
import { withResolvers, type Resolvers } from './with-resolvers.ts';
import { sendDirect } from './send-direct.ts';
import { sendFile, type SendOptions } from './send-file.ts';
import { sendInParts } from './send-parts.ts';
import type { FileToSend, TaskContext } from './task-spec.ts';
import { clientError } from './upload-error.ts';
import type { UploadPhase } from './upload-handle.ts';

/** A failed record during the first 3 s of an attempt may belong to the previous attempt, so it is ignored. */
const RECENT_ATTEMPT_MS = 3000;

/** The functions of the upload that the sender calls. */
export interface SenderHooks {
  /** Starts to watch the upload. Resolves when it is watched or the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
  unfollow(): void;
  /** Called with each phase, and with the reason if it is `retrying`. */
  onPhase(phase: UploadPhase, problem?: Problem): void;
}

/** The file and the id of its upload. */
export interface SenderSpec {
  readonly id: string;
  readonly file: FileToSend;
  /** True if the server may already have an upload with this id. */
  readonly isKnown: boolean;
}

/** Sends the bytes of one upload. A pause ends the current turn, and `resume` starts another one. */
export class Sender {
  readonly #context: TaskContext;
  readonly #spec: SenderSpec;
  readonly #hooks: SenderHooks;
  /** The signal of the present turn. `pause` and `close` abort it. */
  #turn = new AbortController();
  #pause: Resolvers<void> | null = null;
  #attempt: Attempt | null = null;
  #isKnown: boolean;
  #isClosed = false;

  constructor(context: TaskContext, spec: SenderSpec, hooks: SenderHooks) {
    this.#context = context;
    this.#spec = spec;
    this.#hooks = hooks;
    this.#isKnown = spec.isKnown;
  }

  /** False until the first byte was sent. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Resolves when the server has all bytes, with the Upload if the answer contained it. Resolves with undefined after
   * `close`. Rejects with an UploadError if a retry cannot help.
   */
  async run(): Promise<Upload | undefined> {
    for (;;) {
      await this.#pause?.promise;
      if (this.#isClosed) return undefined;
      const { signal } = (this.#turn = new AbortController());
      try {
        const upload = await this.#sendInTurn(signal);
        // If the pause came with the last byte, the next turn finds that the server has everything.
        if (!signal.aborted) return upload;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Ends the turn. Bytes in transit may or may not arrive. */
  pause(): void {
    this.#pause ??= withResolvers();
    this.#turn.abort();
    this.#hooks.unfollow();
    this.#hooks.onPhase('paused');
  }

  /** Starts a new turn after the uploads that already wait. */
  resume(): void {
    this.#hooks.onPhase('waiting');
    this.#pause?.resolve();
    this.#pause = null;
  }

  /** Stops sending for ever. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.resolve();
    this.#turn.abort();
  }

  /** Call it with every progress from the server, because received bytes show that the attempt is alive. */
  progressed({ bytes }: Progress): void {
    this.#attempt?.alive(bytes.received === bytes.total);
  }

  /** Call it if the server reports a broken connection, which this side may not have noticed. */
  connectionBroke(): void {
    if (this.#attempt && Date.now() - this.#attempt.startedAtMs > RECENT_ATTEMPT_MS) this.#attempt.giveUp();
  }

  async #sendInTurn(signal: AbortSignal): Promise<Upload | undefined> {
    const leave = await this.#context.sending.acquire(signal);
    try {
      await this.#hooks.follow(signal);
      if (signal.aborted) throw clientError('aborted');
      return await this.#send(signal);
    } finally {
      leave?.();
    }
  }

  async #send(signal: AbortSignal): Promise<Upload | undefined> {
    const { tuning, putPart } = this.#context;
    const options: SendOptions = {
      ...this.#context,
      ...this.#spec,
      signal,
      isKnown: this.#isKnown,
      onAttempt: (attempt) => this.#attempted(attempt, signal),
      onPause: (problem) => this.#hooks.onPhase('retrying', problem),
    };
    this.#isKnown = true;
    const sent = putPart && (await sendDirect({ ...options, putPart }));
    if (sent) return sent;
    const inParts = this.#spec.file.blob.size > tuning.resumableAboveBytes;
    return await (inParts ? sendInParts({ ...options, partBytes: tuning.partBytes }) : sendFile(options));
  }

  #attempted(attempt: Attempt | null, signal: AbortSignal): void {
    this.#attempt = attempt;
    if (attempt && !signal.aborted) this.#hooks.onPhase('sending');
  }
}
