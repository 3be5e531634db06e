import type { Progress, Upload } from '../wire/documents.ts';
import type { Attempt } from './attempt.ts';
import { withResolvers, type Resolvers } from './with-resolvers.ts';
import { sendFile, type SendOptions } from './send-file.ts';
import { sendInParts } from './send-parts.ts';
import type { FileToSend, TaskContext, UploadPhase } from './task-spec.ts';
import { clientError } from './upload-error.ts';

/** A failed record may be that of the attempt before; one that is older than this knows of its own failure. */
const FRESH_ATTEMPT_MS = 3000;

/** What a sender asks of the upload that it sends for. */
export interface SenderHooks {
  /** Begins to follow the upload; resolves when there is a place for it, or the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
  unfollow(): void;
  onPhase(phase: UploadPhase): void;
}

/** What is sent, and where. */
export interface SenderSpec {
  readonly id: string;
  readonly file: FileToSend;
  /** True where the server may know the id already. */
  readonly isKnown: boolean;
}

/** Brings the bytes of one upload to the server, in turns that end with a pause. */
export class Sender {
  readonly #context: TaskContext;
  readonly #spec: SenderSpec;
  readonly #hooks: SenderHooks;
  /** Aborted by a pause, and by the end. */
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

  /** False while the server cannot have heard of it. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Resolves when the server has all bytes, with the Upload where it came with the answer, or after `close`.
   * Rejects with the UploadError that makes trying on pointless.
   */
  async run(): Promise<Upload | undefined> {
    for (;;) {
      await this.#pause?.promise;
      if (this.#isClosed) return undefined;
      const { signal } = (this.#turn = new AbortController());
      try {
        const upload = await this.#sendInTurn(signal);
        // A pause in the very last moment holds too: the next turn finds that all is there.
        if (!signal.aborted) return upload;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Ends the turn; what is on its way may or may not arrive. */
  pause(): void {
    this.#pause ??= withResolvers();
    this.#turn.abort();
    this.#hooks.unfollow();
    this.#hooks.onPhase('paused');
  }

  /** Takes its turn after those that wait. */
  resume(): void {
    this.#hooks.onPhase('waiting');
    this.#pause?.resolve();
    this.#pause = null;
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.resolve();
    this.#turn.abort();
  }

  /** To be told of what the server says: bytes that arrive are a sign of life. */
  moved({ bytes }: Progress): void {
    this.#attempt?.alive(bytes.received === bytes.total);
  }

  /** To be called where the server says that the connection broke; this side may not have heard of it. */
  connectionBroke(): void {
    if (this.#attempt && Date.now() - this.#attempt.startedAtMs > FRESH_ATTEMPT_MS) this.#attempt.giveUp();
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
    const { tuning } = this.#context;
    const options: SendOptions = {
      ...this.#context,
      ...this.#spec,
      signal,
      isKnown: this.#isKnown,
      onAttempt: (attempt) => this.#attempted(attempt, signal),
      onPause: () => this.#hooks.onPhase('retrying'),
    };
    this.#isKnown = true;
    const inParts = this.#spec.file.blob.size > tuning.resumableAboveBytes;
    return await (inParts ? sendInParts({ ...options, partBytes: tuning.partBytes }) : sendFile(options));
  }

  #attempted(attempt: Attempt | null, signal: AbortSignal): void {
    this.#attempt = attempt;
    if (attempt && !signal.aborted) this.#hooks.onPhase('sending');
  }
}
