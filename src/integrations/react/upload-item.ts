import type { Problem, Progress, Result, Upload, UploadClient, UploadHandle } from '../../client/client.d.ts';
import { asUploadError, isUndecided } from '../../client/upload-error.ts';
import type { SendOptions, UploadView } from './upload-view.ts';

/** The list that contains an upload. */
export interface ItemContext {
  client(): UploadClient;
  /** Returns the address of a link. */
  url(link: string): string;
  changed(): void;
  remove(item: UploadItem): void;
}

/** A file to send, or an upload whose bytes the server has. */
export type Source =
  { readonly file: Blob; readonly options: SendOptions } | { readonly id: string; readonly name: string };

type State = Omit<UploadView, 'cancel' | 'pause' | 'resume' | 'retry' | 'remove'>;

const UNSENT = {
  phase: 'waiting',
  problem: null,
  state: null,
  percent: 0,
  progress: null,
  upload: null,
  result: null,
  error: null,
  url: null,
} as const;

/** One upload of a list: its handle at the client, and the values that a component shows. The constructor starts it. */
export class UploadItem {
  readonly #context: ItemContext;
  readonly #source: Source;
  readonly #methods: Pick<UploadView, 'cancel' | 'pause' | 'resume' | 'retry' | 'remove'>;
  #handle: UploadHandle;
  #view: UploadView;
  /** Grows with each retry. Reports of earlier handles are ignored. */
  #run = 0;

  constructor(context: ItemContext, source: Source) {
    this.#context = context;
    this.#source = source;
    this.#methods = {
      cancel: () => this.#handle.cancel(),
      pause: () => this.#handle.pause(),
      resume: () => this.#handle.resume(),
      retry: () => this.#retry(),
      remove: () => this.remove(),
    };
    this.#handle = this.#start('file' in source ? source.options : {});
    const { id, phase } = this.#handle;
    this.#view = { ...UNSENT, key: id, id, name: nameOf(source), phase, ...this.#methods };
    this.#awaitOutcome(this.#handle, this.#run);
  }

  get view(): UploadView {
    return this.#view;
  }

  /** Never rejects, because the client retries a cancellation and then gives up. */
  cancelIfRunning(): void {
    if (this.#view.phase !== 'over') void this.#handle.cancel();
  }

  /** Takes the upload off its list, and cancels it if it is not over. */
  remove(): void {
    this.cancelIfRunning();
    this.#run += 1;
    this.#context.remove(this);
  }

  #start(options: SendOptions): UploadHandle {
    const run = this.#run;
    const listeners = {
      onProgress: (progress: Progress) => this.#patch(run, progressed(progress)),
      // The outcome arrives in a promise a little later, and is shown together with this phase.
      onPhase: (phase: UploadView['phase'], problem: Problem | null = null) =>
        phase !== 'over' && this.#patch(run, { phase, problem }),
    };
    const source = this.#source;
    if ('file' in source) return this.#context.client().upload(source.file, { ...options, ...listeners });
    const handle = this.#context.client().watch(source.id, listeners);
    // The client ignores the listeners if somebody else watches the upload already.
    void this.#readProgress(handle, run);
    return handle;
  }

  async #readProgress(handle: UploadHandle, run: number): Promise<void> {
    for await (const progress of handle.progress) this.#patch(run, { ...progressed(progress), ...phaseOf(handle) });
  }

  #awaitOutcome(handle: UploadHandle, run: number): void {
    handle.result.then(
      (upload) => this.#patch(run, { phase: 'over', problem: null, ...completed(upload, this.#context) }),
      (error: unknown) => this.#patch(run, { phase: 'over', problem: null, error: asUploadError(error) }),
    );
  }

  #retry(): boolean {
    const { error, id } = this.#view;
    if (error === null || !('file' in this.#source)) return false;
    const { id: _givenId, paused: _paused, ...options } = this.#source.options;
    this.#run += 1;
    this.#handle = this.#start(isUndecided(error.problem) ? { ...options, id } : options);
    this.#patch(this.#run, { ...UNSENT, id: this.#handle.id, phase: this.#handle.phase });
    this.#awaitOutcome(this.#handle, this.#run);
    return true;
  }

  #patch(run: number, change: Partial<State>): void {
    if (run !== this.#run) return;
    this.#view = { ...this.#view, ...change };
    this.#context.changed();
  }
}

function nameOf(source: Source): string {
  if (!('file' in source)) return source.name;
  const { file, options } = source;
  return options.name ?? ('name' in file && typeof file.name === 'string' ? file.name : 'file');
}

function progressed(progress: Progress): Partial<State> {
  return { progress, percent: progress.percent, state: progress.state };
}

function phaseOf({ phase }: UploadHandle): Partial<State> {
  return phase === 'over' ? {} : { phase };
}

function completed(upload: Upload, context: ItemContext): Partial<State> {
  const { result, progress } = upload;
  const link = result === null ? undefined : linkOf(result);
  return { upload, result, url: link === undefined ? null : context.url(link), ...progressed(progress) };
}

/** Returns the link of the main derived file. Undefined for the results of other kinds. */
function linkOf(result: Result): string | undefined {
  if (result.kind === 'picture') return result.variants[0]?.url;
  return result.kind === 'table' ? result.jsonLines.url : undefined;
}
