import type { Problem, Progress, Upload } from '../wire/documents.ts';
import { withResolvers } from './with-resolvers.ts';
import { retry } from './retry.ts';
import { ProgressFeed } from './progress-feed.ts';
import type { Watching } from './progress-watch.ts';
import { Sender } from './sender.ts';
import type { TaskContext, TaskSpec } from './task-spec.ts';
import {
  asUploadError,
  clientError,
  errorOfOutcome,
  isDeleted,
  isTransferProblem,
  isTransient,
  isUndecided,
  UploadError,
} from './upload-error.ts';
import type { CompletedUpload, UploadHandle, UploadPhase } from './upload-handle.ts';
import { uploadId } from './upload-id.ts';
import { isUpload } from './wire.ts';

const PAUSABLE: ReadonlySet<UploadPhase> = new Set(['waiting', 'sending', 'retrying']);

/** One upload from its start to its outcome. The constructor starts it. */
export class UploadTask implements UploadHandle {
  readonly id: string;
  readonly progress: ProgressFeed;
  readonly #context: TaskContext;
  readonly #spec: TaskSpec;
  /** Null if the server already has all bytes. */
  readonly #sender: Sender | null;
  readonly #result = withResolvers<CompletedUpload>();
  readonly #ended = withResolvers<void>();
  readonly #closed = new AbortController();
  #phase: UploadPhase = 'waiting';
  /** Code of the problem that the phase was reported with. */
  #reason: string | undefined;
  #error: UploadError | null = null;
  #successor: UploadHandle | null = null;
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
    // A caller that only reads the progress must not cause an unhandled rejection.
    this.#result.promise.catch(() => undefined);
    if (spec.isPaused === true) this.pause();
    void this.#run();
  }

  get phase(): UploadPhase {
    return this.#phase;
  }

  /** True if this task has the file. */
  get isSending(): boolean {
    return this.#sender !== null;
  }

  get result(): Promise<CompletedUpload> {
    return this.#result.promise;
  }

  /** Returns false if the server already has all bytes. */
  pause(): boolean {
    if (!this.#sender || !PAUSABLE.has(this.#phase)) return false;
    this.#sender.pause();
    return true;
  }

  /** Continues after the uploads that already wait. Returns false if it is not paused. */
  resume(): boolean {
    if (this.#phase !== 'paused') return false;
    this.#sender?.resume();
    return true;
  }

  /** Resolves when the server has confirmed or the request was given up. Never rejects. */
  async cancel(): Promise<void> {
    if (this.#phase === 'over') return;
    if (this.#sender?.isKnown === false) return this.#fail(clientError('upload_cancelled'));
    const { http, tuning, delays, closeSignal } = this.#context;
    const signal = closeSignal();
    const sendCancel = (): Promise<Upload> => http.request(`/uploads/${this.id}/cancel`, isUpload, { method: 'POST' });
    try {
      const upload = await sendCancel();
      // The server takes a pause for a broken connection, so the upload may have failed before the cancel.
      if (upload.error && isTransferProblem(upload.error)) this.#fail(clientError('upload_cancelled'));
      else this.#accept(upload);
    } catch {
      // The server is unreachable, or does not know the upload yet. Stop sending, then try to cancel again.
      this.#fail(clientError('upload_cancelled'));
      if (!signal.aborted) await retry(sendCancel, { tuning, delays, signal }).catch(() => undefined);
    }
  }

  /** Returns the same handle if it is called again. */
  retry(): UploadHandle | null {
    const { file } = this.#spec;
    if (!file || !this.#error) return null;
    const isKnown = isUndecided(this.#error.problem);
    const id = isKnown ? this.id : uploadId();
    return (this.#successor ??= this.#context.start({ ...this.#spec, id, isKnown, isPaused: false }));
  }

  /** Resolves when the server has confirmed, also if it did not know the upload. */
  async delete(): Promise<void> {
    this.#fail(clientError('upload_cancelled'));
    if (this.#sender?.isKnown === false) return;
    const { http, tuning, delays, closeSignal } = this.#context;
    const sendDelete = (): Promise<unknown> => http.headers(`/uploads/${this.id}`, { method: 'DELETE' });
    try {
      await retry(sendDelete, { tuning, delays, signal: closeSignal() });
    } catch (error) {
      if (!isDeleted(asUploadError(error).problem)) throw error;
    }
  }

  /** Ends the task without a request to the server. */
  abandon(): void {
    this.#fail(clientError('aborted'));
  }

  #createSender(spec: ConstructorParameters<typeof Sender>[1]): Sender {
    return new Sender(this.#context, spec, {
      follow: (signal) => this.#follow(signal),
      unfollow: () => this.#unfollow(),
      onPhase: (phase, problem) => this.#enterPhase(phase, problem),
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
      onProgress: (progress: Progress) => this.#progressed(progress),
      onProblem: (problem: Problem) => this.#watchFailed(problem),
    };
    // A small file is usually sent before a progress request could report it.
    this.#watching = watch.add(target, this.#sender ? tuning.gapMs : 0);
  }

  #unfollow(): void {
    this.#watching?.release();
    this.#leaveOpen?.();
    this.#watching = null;
    this.#leaveOpen = null;
  }

  #progressed(progress: Progress): void {
    if (progress.state === 'failed' && this.#isUnsent()) return void this.#checkFailure();
    this.#sender?.progressed(progress);
    this.progress.push(progress);
    if (progress.final) this.#end();
  }

  /** Restarts the transfer if the upload failed because of a broken connection; any other failure ends the task. */
  async #checkFailure(): Promise<void> {
    try {
      const upload = await this.#context.http.request(`/uploads/${this.id}`, isUpload);
      if (!upload.error || upload.state !== 'failed') return;
      if (isTransferProblem(upload.error)) this.#sender?.connectionBroke();
      else this.#accept(upload);
    } catch {
      // The answer to the upload request itself reports the failure.
    }
  }

  #watchFailed(problem: Problem): void {
    if (isTransient(problem)) return;
    // The server knows the upload only after its first byte, which may not have arrived yet.
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

  /** Stops sending and watching. The outcome may still have to be read. */
  #end(): void {
    this.#ended.resolve();
    this.#closed.abort();
    this.#sender?.close();
    this.#unfollow();
  }

  #settle(upload: Upload): void {
    if (isCompleted(upload)) {
      this.#result.resolve(upload);
      this.#finish();
    } else {
      this.#fail(errorOfOutcome(upload));
    }
  }

  #fail(error: UploadError): void {
    if (this.#phase === 'over') return;
    this.#error = error;
    this.#result.reject(error);
    this.#finish();
  }

  #finish(): void {
    this.#end();
    this.progress.end();
    this.#enterPhase('over');
  }

  #enterPhase(phase: UploadPhase, problem?: Problem): void {
    const isSame = this.#phase === phase && this.#reason === problem?.code;
    if (isSame || this.#phase === 'over') return;
    this.#phase = phase;
    this.#reason = problem?.code;
    this.#spec.onPhase?.(phase, problem);
  }
}

function isCompleted(upload: Upload): upload is CompletedUpload {
  return upload.state === 'completed' && upload.result !== null;
}
