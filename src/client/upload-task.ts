import type { Problem, Progress, Upload } from '../wire/documents.ts';
import { withResolvers } from './with-resolvers.ts';
import { retry } from './retry.ts';
import { ProgressFeed } from './progress-feed.ts';
import type { Watching } from './progress-watch.ts';
import { Sender } from './sender.ts';
import type { TaskContext, TaskSpec, UploadPhase } from './task-spec.ts';
import {
  asUploadError,
  clientError,
  errorOfOutcome,
  isTransferProblem,
  isTransient,
  UploadError,
} from './upload-error.ts';
import { isUpload } from './wire.ts';

const PAUSABLE: ReadonlySet<UploadPhase> = new Set(['waiting', 'sending', 'retrying']);

/** The life of one upload, from waiting for its turn to its outcome; it starts when made. */
export class UploadTask {
  readonly id: string;
  readonly progress: ProgressFeed;
  readonly #context: TaskContext;
  readonly #spec: TaskSpec;
  /** Null where the server has the bytes. */
  readonly #sender: Sender | null;
  readonly #result = withResolvers<Upload>();
  readonly #ended = withResolvers<void>();
  readonly #closed = new AbortController();
  #phase: UploadPhase = 'waiting';
  #watching: Watching | null = null;
  #leaveOpen: (() => void) | null = null;
  #outcome: Upload | null = null;

  constructor(context: TaskContext, spec: TaskSpec) {
    this.id = spec.id;
    this.#context = context;
    this.#spec = spec;
    this.progress = new ProgressFeed(spec.onProgress);
    this.#sender = spec.file
      ? this.#createSender({ id: spec.id, file: spec.file, isKnown: spec.isKnown ?? false })
      : null;
    // Whoever follows the progress alone is not to be punished with an unhandled rejection.
    this.#result.promise.catch(() => undefined);
    if (spec.isPaused === true) this.pause();
    void this.#run();
  }

  get phase(): UploadPhase {
    return this.#phase;
  }

  /** True where it has the bytes itself. */
  get isSending(): boolean {
    return this.#sender !== null;
  }

  get result(): Promise<Upload> {
    return this.#result.promise;
  }

  /** False where there is nothing to pause: what the server has, it works on. */
  pause(): boolean {
    if (!this.#sender || !PAUSABLE.has(this.#phase)) return false;
    this.#sender.pause();
    return true;
  }

  /** Takes its turn after those that wait; false where it is not paused. */
  resume(): boolean {
    if (this.#phase !== 'paused') return false;
    this.#sender?.resume();
    return true;
  }

  /** Resolves once the server has confirmed, or once telling it has been given up; never rejects. */
  async cancel(): Promise<void> {
    if (this.#phase === 'over') return;
    if (this.#sender?.isKnown === false) return this.#fail(clientError('upload_cancelled'));
    const { http, tuning, delays } = this.#context;
    const tell = (): Promise<Upload> => http.request(`/uploads/${this.id}/cancel`, isUpload, { method: 'POST' });
    try {
      const upload = await tell();
      // To the server a pause is a broken connection, which has ended the upload before this could.
      if (upload.error && isTransferProblem(upload.error)) this.#fail(clientError('upload_cancelled'));
      else this.#accept(upload);
    } catch {
      // Out of reach, or unknown because the bytes are still on their way: stop those, then tell it again.
      this.#fail(clientError('upload_cancelled'));
      await retry(tell, { tuning, delays }).catch(() => undefined);
    }
  }

  /** Ends on this side alone: the server is told nothing. */
  abandon(): void {
    this.#fail(clientError('aborted'));
  }

  #createSender(spec: ConstructorParameters<typeof Sender>[1]): Sender {
    return new Sender(this.#context, spec, {
      follow: (signal) => this.#follow(signal),
      unfollow: () => this.#unfollow(),
      onPhase: (phase) => this.#enterPhase(phase),
    });
  }

  async #run(): Promise<void> {
    try {
      if (this.#sender) {
        const upload = await this.#sender.run();
        if (upload) this.#accept(upload);
      } else {
        await this.#follow(this.#closed.signal);
      }
      this.#enterPhase('following');
      await this.#ended.promise;
      if (this.#phase !== 'over') this.#settle(this.#outcome ?? (await this.#readOutcome()));
    } catch (error) {
      this.#fail(asUploadError(error));
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { open, watch, tuning } = this.#context;
    const leave = await open.acquire(signal);
    if (signal.aborted) return leave?.();
    this.#leaveOpen = leave ?? null;
    const target = {
      id: this.id,
      onProgress: (progress: Progress) => this.#moved(progress),
      onProblem: (problem: Problem) => this.#missed(problem),
    };
    // A small file is sent before a progress request could tell of it.
    this.#watching = watch.add(target, this.#sender ? tuning.gapMs : 0);
  }

  #unfollow(): void {
    this.#watching?.release();
    this.#leaveOpen?.();
    this.#watching = null;
    this.#leaveOpen = null;
  }

  #moved(progress: Progress): void {
    if (progress.state === 'failed' && this.#isUnsent()) return void this.#weighFailure();
    this.#sender?.moved(progress);
    this.progress.push(progress);
    if (progress.final) this.#end();
  }

  /** A record fails when its connection breaks, which sending again mends; any other failure makes further bytes pointless. */
  async #weighFailure(): Promise<void> {
    try {
      const upload = await this.#context.http.request(`/uploads/${this.id}`, isUpload);
      if (!upload.error || upload.state !== 'failed') return;
      if (isTransferProblem(upload.error)) this.#sender?.connectionBroke();
      else this.#accept(upload);
    } catch {
      // The answer to the bytes themselves will tell.
    }
  }

  #missed(problem: Problem): void {
    if (isTransient(problem)) return;
    // Its record appears with its first byte, and that may still be on its way.
    if (problem.code === 'unknown_upload' && this.#isUnsent()) return;
    this.#fail(new UploadError(problem));
  }

  #isUnsent(): boolean {
    return this.#sender !== null && this.#phase !== 'following' && this.#phase !== 'over';
  }

  #accept(upload: Upload): void {
    this.#watching?.seen(upload.version);
    this.progress.push(upload.progress);
    if (!upload.progress.final) return;
    this.#outcome = upload;
    this.#end();
  }

  #readOutcome(): Promise<Upload> {
    const { http, tuning, delays } = this.#context;
    return retry(() => http.request(`/uploads/${this.id}`, isUpload), { tuning, delays });
  }

  /** Nothing more is to be sent or watched; the outcome may still have to be read. */
  #end(): void {
    this.#ended.resolve();
    this.#closed.abort();
    this.#sender?.close();
    this.#unfollow();
  }

  #settle(upload: Upload): void {
    if (upload.state === 'completed') {
      this.#result.resolve(upload);
      this.#finish();
    } else {
      this.#fail(errorOfOutcome(upload));
    }
  }

  #fail(error: UploadError): void {
    if (this.#phase === 'over') return;
    this.#result.reject(error);
    this.#finish();
  }

  #finish(): void {
    this.#end();
    this.progress.end();
    this.#enterPhase('over');
  }

  #enterPhase(phase: UploadPhase): void {
    if (this.#phase === phase || this.#phase === 'over') return;
    this.#phase = phase;
    this.#spec.onPhase?.(phase);
  }
}
