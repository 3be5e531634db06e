import type { Problem, Progress, Upload } from '../../api.ts';
import { deferred } from './deferred.ts';
import { persist } from './persist.ts';
import { ProgressFeed } from './progress-feed.ts';
import type { Watching } from './progress-watch.ts';
import { sendFile } from './send-file.ts';
import type { Slots } from './slots.ts';
import type { TaskContext, TaskSpec, UploadPhase } from './task-spec.ts';
import { asUploadError, clientError, errorOfOutcome, isTransferProblem, isTransient, UploadError } from './upload-error.ts';
import { isUpload } from './wire.ts';

/** The life of one upload, from waiting for its turn to its outcome; it starts when made. */
export class UploadTask {
  readonly id: string;
  readonly progress: ProgressFeed;
  readonly #context: TaskContext;
  readonly #spec: TaskSpec;
  readonly #result = deferred<Upload>();
  readonly #ended = deferred<void>();
  readonly #stop = new AbortController();
  #phase: UploadPhase = 'waiting';
  #watching: Watching | undefined;
  #outcome: Upload | undefined;

  constructor(context: TaskContext, spec: TaskSpec) {
    this.id = spec.id;
    this.#context = context;
    this.#spec = spec;
    this.progress = new ProgressFeed(spec.onProgress);
    // Whoever follows the progress alone is not to be punished with an unhandled rejection.
    this.#result.promise.catch(() => undefined);
    void this.#run();
  }

  get phase(): UploadPhase {
    return this.#phase;
  }

  get result(): Promise<Upload> {
    return this.#result.promise;
  }

  /** Resolves once the server has confirmed, or once telling it has been given up; never rejects. */
  async cancel(): Promise<void> {
    if (this.#phase === 'over') return;
    if (this.#phase === 'waiting') return this.#fail(clientError('upload_cancelled'));
    const { http, tuning, rests } = this.#context;
    const tell = (): Promise<Upload> => http.request(`/uploads/${this.id}/cancel`, isUpload, { method: 'POST' });
    try {
      this.#accept(await tell());
    } catch {
      // Out of reach, or unknown because the bytes are still on their way: stop those, then tell it again.
      this.#fail(clientError('upload_cancelled'));
      await persist(tell, { tuning, rests }).catch(() => undefined);
    }
  }

  /** Ends on this side alone: the server is told nothing. */
  abandon(): void {
    this.#fail(clientError('aborted'));
  }

  async #run(): Promise<void> {
    const releases: (() => void)[] = [];
    try {
      const leaveSending = this.#spec.file && (await this.#enter(this.#context.sending, releases));
      await this.#enter(this.#context.open, releases);
      if (this.#stop.signal.aborted) return;
      this.#startWatching(releases);
      if (this.#spec.file) await Promise.race([this.#send(this.#spec.file), this.#ended.promise]);
      leaveSending?.();
      this.#enterPhase('following');
      await this.#ended.promise;
      if (this.#phase !== 'over') this.#settle(this.#outcome ?? (await this.#readOutcome()));
    } catch (error) {
      this.#fail(asUploadError(error));
    } finally {
      for (const release of releases) release();
    }
  }

  async #enter(slots: Slots, releases: (() => void)[]): Promise<(() => void) | undefined> {
    const release = await slots.take(this.#stop.signal);
    if (release) releases.push(release);
    return release;
  }

  #startWatching(releases: (() => void)[]): void {
    const { watch, tuning } = this.#context;
    const target = {
      id: this.id,
      onProgress: (progress: Progress) => this.#moved(progress),
      onProblem: (problem: Problem) => this.#missed(problem),
    };
    // A small file is sent before a progress request could tell of it.
    const watching = watch.add(target, this.#spec.file ? tuning.gapMs : 0);
    this.#watching = watching;
    releases.push(() => watching.release());
  }

  async #send({ blob, name }: { blob: Blob; name: string }): Promise<void> {
    const upload = await sendFile({
      ...this.#context,
      id: this.id,
      file: blob,
      name,
      signal: this.#stop.signal,
      onAttempt: () => this.#enterPhase('sending'),
      onPause: () => this.#enterPhase('retrying'),
    });
    if (upload) this.#accept(upload);
  }

  #moved(progress: Progress): void {
    if (progress.state === 'failed' && this.#isSending()) {
      void this.#weighFailure();
      return;
    }
    this.progress.push(progress);
    if (progress.final) this.#end();
  }

  /** A record fails when its connection breaks, which sending again mends; any other failure makes further bytes pointless. */
  async #weighFailure(): Promise<void> {
    try {
      const upload = await this.#context.http.request(`/uploads/${this.id}`, isUpload);
      if (upload.error && !isTransferProblem(upload.error)) this.#accept(upload);
    } catch {
      // The answer to the bytes themselves will tell.
    }
  }

  #missed(problem: Problem): void {
    if (isTransient(problem)) return;
    // Its record appears with its first byte, and that may still be on its way.
    if (problem.code === 'unknown_upload' && this.#isSending()) return;
    this.#fail(new UploadError(problem));
  }

  #isSending(): boolean {
    return this.#phase === 'sending' || this.#phase === 'retrying';
  }

  #accept(upload: Upload): void {
    this.#watching?.seen(upload.version);
    this.progress.push(upload.progress);
    if (!upload.progress.final) return;
    this.#outcome = upload;
    this.#end();
  }

  #readOutcome(): Promise<Upload> {
    const { http, tuning, rests } = this.#context;
    return persist(() => http.request(`/uploads/${this.id}`, isUpload), { tuning, rests });
  }

  /** Nothing more is to be sent or watched; the outcome may still have to be read. */
  #end(): void {
    this.#ended.resolve();
    this.#stop.abort();
    this.#watching?.release();
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
