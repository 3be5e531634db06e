import type { Problem, Progress, Upload } from '../wire/documents.ts';
import { type FollowOptions, type UploadClient, UploadError, type UploadHandle } from '../client/upload-client.ts';
import { isDeleted, isUndecided } from '../client/upload-error.ts';
import type { Announcer } from './announcer.ts';
import { type FileLimits, refusalOf } from './file-limits.ts';
import { inSlices } from './in-slices.ts';
import type { KeptUpload } from './kept-uploads.ts';
import { createLineModel, isBusy, isStopped, type LineModel, stateOf } from './line-model.ts';
import { LineList } from './line-list.ts';
import type { Sort } from './line-order.ts';
import { describeLine } from './line-text.ts';
import { needsNotes } from './result-notes.ts';
import { markOldPositions, moveUpBehind } from './queue-positions.ts';
import type { Undoable } from './undo-bar.ts';
import type { Words } from './words.ts';

interface UploadBoardOptions {
  client: UploadClient;
  list: HTMLElement;
  words: Words;
  announcer: Announcer;
  /** Takes the focus if the focused line is removed and no line is left. */
  fallbackFocus: HTMLElement;
  /** Opens a file dialog and calls `take` with the chosen file. */
  chooseOne: (take: (file: File) => void) => void;
  /** Offers to take back the actions. */
  offerUndo: (kind: 'hidden' | 'deleted', actions: readonly Undoable[]) => void;
  /** Deletes an upload on the server. Resolves with false if that failed. */
  deleteUpload: (id: string) => Promise<boolean>;
  /** Shows a finished picture in the viewer. */
  view: (upload: Upload) => void;
  /** Called each time after the changed lines are shown. */
  onShown: (models: readonly LineModel[]) => void;
}

/** The list of files on the page. Each file has one line and one upload. */
export class UploadBoard {
  readonly #options: UploadBoardOptions;
  readonly #lines: LineList;
  #limits: FileLimits | null = null;

  constructor(options: UploadBoardOptions) {
    this.#options = options;
    this.#lines = new LineList({
      ...options,
      actionsOf: (model) => ({
        pause: () => model.handle?.pause(),
        resume: () => model.handle?.resume(),
        cancel: () => this.#cancel(model),
        retry: () => this.#retry(model),
        chooseAgain: () => options.chooseOne((file) => this.#takeChosen(model, file)),
        hide: () => this.hide([model]),
        delete: () => this.delete(model),
        view: () => model.upload && options.view(model.upload),
      }),
    });
  }

  /** The models in the order in which they were added. */
  get models(): readonly LineModel[] {
    return this.#lines.models;
  }

  /** The models in the order in which they are shown. */
  get sorted(): readonly LineModel[] {
    return this.#lines.sorted;
  }

  /** Builds every line again, for example in another language. */
  rebuild(): void {
    this.#lines.rebuild();
  }

  sortBy(sort: Sort): void {
    this.#lines.sortBy(sort);
  }

  /** Marks the unfinished uploads while the server cannot be reached. */
  setOffline(isOffline: boolean): void {
    for (const model of this.#lines.models)
      if (isBusy(model) && model.isOffline !== isOffline) this.#lines.patch(model, { isOffline });
  }

  /** Uploads the files in the given order. A file that a stopped line waits for resumes that line. */
  add(files: readonly File[]): void {
    if (files.length === 0) return;
    const stopped = this.#lines.models.filter(isStopped);
    void inSlices(files, (file) => {
      const waiting = stopped.find((model) => isStopped(model) && fits(model, file));
      if (waiting) this.#takeChosen(waiting, file);
      else this.#addFile(file);
    });
    this.#options.announcer.added(files.length);
  }

  /** Call it when the server has reported its limits. */
  setLimits(limits: FileLimits): void {
    this.#limits = limits;
  }

  /** Reports the bytes of an upload that have left the browser. */
  sent(id: string, bytes: number): void {
    const model = this.#lines.models.find(({ handle }) => handle?.id === id);
    if (model && bytes > model.sentBytes) this.#lines.patch(model, { sentBytes: bytes });
  }

  /** Continues an upload of an earlier page. `file` is null if the browser has no copy of it. */
  restore(kept: KeptUpload, file: File | null): void {
    const { client } = this.#options;
    const { id, isPaused } = kept;
    const bytes = kept.isDelivered ? null : file;
    const begin = (on: FollowOptions): UploadHandle =>
      bytes ? client.upload(bytes, { ...on, id, name: kept.name, paused: isPaused }) : client.watch(id, on);
    const model = { ...createLineModel(kept, bytes), sentBytes: kept.sentBytes };
    this.#start(model, begin, (problem) => kept.isDelivered && isDeleted(problem) && this.#lines.remove(model));
  }

  pauseAll(): void {
    for (const { handle } of this.#lines.models) handle?.pause();
  }

  resumeAll(): void {
    for (const { handle } of this.#lines.models) handle?.resume();
  }

  cancelAll(): void {
    for (const model of this.#lines.models) if (isBusy(model)) this.#cancel(model);
  }

  hideFinished(): void {
    this.hide(this.#lines.models.filter((model) => !isBusy(model)));
    this.#options.fallbackFocus.focus();
  }

  /** Removes lines from the page. The files stay on the server. */
  hide(models: readonly LineModel[]): void {
    void this.#hide(models);
  }

  /** Offers the undo only after the last line is removed, because an earlier undo would not include the later lines. */
  async #hide(models: readonly LineModel[]): Promise<void> {
    const { words, offerUndo } = this.#options;
    const hidden: LineModel[] = [];
    await inSlices(models, (model) => {
      if (this.#lines.remove(model)) hidden.push(model);
    });
    const actions = hidden.map((model) =>
      this.#undoable(
        model,
        (count) => words.hidden(count),
        () => undefined,
      ),
    );
    if (actions.length > 0) offerUndo('hidden', actions);
  }

  /** Removes a line, and a little later its files from the server. */
  delete(model: LineModel): void {
    this.#lines.remove(model);
    const commit = (): void => void this.#commitDelete(model);
    this.#options.offerUndo('deleted', [this.#undoable(model, (count) => this.#options.words.deleted(count), commit)]);
  }

  /** Adds a line for a file. It sends the file unless the server would refuse it. */
  #addFile(file: File): void {
    const model = createLineModel({ name: file.name, sizeBytes: file.size }, file);
    model.maxBytes = this.#limits?.maxFileBytes ?? null;
    const problem = this.#limits && refusalOf(file, this.#limits);
    if (!problem) return this.#start(model, (on) => this.#options.client.upload(file, on));
    model.problem = problem;
    this.#lines.add(model);
    this.#options.announcer.failed(model.name, describeLine(model, this.#options.words).stage);
  }

  #undoable(model: LineModel, text: Undoable['text'], commit: () => void): Undoable {
    return { text, undo: () => this.#lines.add(model), commit };
  }

  async #commitDelete(model: LineModel): Promise<void> {
    const { deleteUpload, announcer, words } = this.#options;
    if (model.handle === null || (await deleteUpload(model.handle.id))) return;
    this.#lines.add(model);
    announcer.failed(model.name, words.notDeleted);
  }

  #start(
    model: LineModel,
    begin: (on: FollowOptions) => UploadHandle,
    onProblem: (problem: Problem) => void = () => undefined,
  ): void {
    let own: UploadHandle | null = null;
    const isCurrent = (): boolean => own === null || model.handle === own;
    this.#lines.add(model);
    const handle = begin({
      onPhase: (phase, problem) => isCurrent() && this.#lines.patch(model, { phase, retryReason: problem ?? null }),
      onProgress: (progress) => isCurrent() && this.#moved(model, progress),
    });
    own = handle;
    this.#lines.patch(model, { handle, phase: handle.phase });
    void this.#awaitOutcome(model, handle, onProblem);
  }

  #moved(model: LineModel, progress: Progress): void {
    if (progress.queuePosition === null) {
      for (const behind of moveUpBehind(model, this.#lines.models)) this.#lines.patch(behind, {});
    }
    // An upload may restart from the first byte after a broken connection. The shown percent never goes down.
    const percent = Math.max(progress.percent, model.progress?.percent ?? 0);
    this.#lines.patch(model, { progress: { ...progress, percent }, isPositionOld: false });
    for (const other of markOldPositions(model, this.#lines.models)) this.#lines.patch(other, {});
  }

  async #awaitOutcome(model: LineModel, handle: UploadHandle, onProblem: (problem: Problem) => void): Promise<void> {
    const { announcer, words } = this.#options;
    try {
      const upload = await handle.result;
      this.#lines.patch(model, { upload });
      announcer.done(model.name, needsNotes(upload));
    } catch (error) {
      if (!(error instanceof UploadError)) throw error;
      // A newer upload has replaced this one in the line.
      if (model.handle !== handle) return;
      this.#lines.patch(model, { problem: error.problem });
      onProblem(error.problem);
      if (stateOf(model) === 'failed') announcer.failed(model.name, describeLine(model, words).stage);
    }
  }

  #cancel(model: LineModel): void {
    this.#lines.patch(model, { cancelling: true });
    void model.handle?.cancel();
  }

  #retry(model: LineModel): void {
    const { file, handle, problem } = model;
    if (!file || !problem) return;
    if (handle && isUndecided(problem)) return this.#goOn(model, file);
    model.progress = null;
    this.#restart(model, (on) => this.#options.client.upload(file, on));
  }

  #takeChosen(model: LineModel, file: File): void {
    if (!isStopped(model)) return;
    if (!fits(model, file)) return this.#lines.patch(model, { wasMistaken: true });
    this.#lines.patch(model, { file });
    this.#lines.showFile(model);
    this.#goOn(model, file);
  }

  #goOn(model: LineModel, file: File): void {
    const id = model.handle?.id;
    this.#restart(model, (on) =>
      this.#options.client.upload(file, { ...on, name: model.name, ...(id === undefined ? {} : { id }) }),
    );
  }

  #restart(model: LineModel, begin: (on: FollowOptions) => UploadHandle): void {
    this.#lines.patch(model, { phase: 'waiting', upload: null, problem: null, cancelling: false, wasMistaken: false });
    this.#start(model, begin);
  }
}

function fits({ name, sizeBytes }: LineModel, file: File): boolean {
  return file.name === name && file.size === sizeBytes;
}
