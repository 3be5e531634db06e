import type { Progress } from '../../api.ts';
import { type FollowOptions, type UploadClient, UploadError, type UploadHandle } from '../upload-client.ts';
import type { Announcer } from './announcer.ts';
import { createLineModel, describeLine, isBusy, type LineModel } from './line-model.ts';
import type { OpenUpload } from './open-uploads.ts';
import { Previews } from './preview.ts';
import { moveUpBehind } from './queue-positions.ts';
import { UploadLine } from './upload-line.ts';
import type { Words } from './words.ts';

/** Changes are shown together this often: more cannot be told apart by eye. */
const SHOW_AFTER_MS = 50;
/** Longest stretch of showing; the rest comes with the next, so that typing and scrolling stay smooth. */
const SHOW_FOR_MS = 12;

/** Nothing has become of these on the server, so another try goes on under the same id. */
const UNDECIDED_CODES: ReadonlySet<string> = new Set(['connection_lost', 'unexpected_answer', 'service_unavailable']);

/** What the list works with. */
export interface UploadBoardOptions {
  client: UploadClient;
  list: HTMLElement;
  words: Words;
  announcer: Announcer;
  /** Takes the keyboard when the line that had it is gone, and no other is left. */
  fallbackFocus: HTMLElement;
  /** Called after each showing of changes. */
  onShown: (models: LineModel[]) => void;
}

/** The list of pictures: one line and one upload each. */
export class UploadBoard {
  readonly #options: UploadBoardOptions;
  readonly #previews = new Previews();
  readonly #models = new Set<LineModel>();
  readonly #lines = new Map<LineModel, UploadLine>();
  readonly #changed = new Set<LineModel>();
  #scheduled = false;

  constructor(options: UploadBoardOptions) {
    this.#options = options;
  }

  /** Sends them, in the order given. */
  add(files: readonly File[]): void {
    if (files.length === 0) return;
    const { client, announcer } = this.#options;
    for (const file of files) {
      this.#start(createLineModel(file, file.name, file.size), (on) => client.upload(file, on));
    }
    announcer.added(files.length);
  }

  /** Goes on with what this page had in hand before it was reloaded. */
  restore(uploads: readonly OpenUpload[]): void {
    for (const { id, name, sizeBytes } of uploads) {
      this.#start(createLineModel(null, name, sizeBytes), (on) => this.#options.client.watch(id, on));
    }
  }

  cancelAll(): void {
    for (const model of this.#models) {
      if (isBusy(model)) this.#cancel(model);
    }
  }

  clearFinished(): void {
    for (const model of this.#models) {
      if (!isBusy(model)) this.#remove(model);
    }
    this.#options.fallbackFocus.focus();
  }

  #start(model: LineModel, begin: (on: FollowOptions) => UploadHandle): void {
    this.#models.add(model);
    const handle = begin({
      onPhase: (phase) => this.#patch(model, { phase }),
      onProgress: (progress) => this.#moved(model, progress),
    });
    this.#patch(model, { handle });
    void this.#awaitOutcome(model, handle);
  }

  #moved(model: LineModel, progress: Progress): void {
    if (progress.queuePosition === null) {
      for (const behind of moveUpBehind(model, this.#models)) this.#changed.add(behind);
    }
    this.#patch(model, { progress });
  }

  async #awaitOutcome(model: LineModel, handle: UploadHandle): Promise<void> {
    const { announcer, words } = this.#options;
    try {
      const upload = await handle.result;
      this.#patch(model, { upload });
      announcer.done(model.name);
    } catch (error) {
      if (!(error instanceof UploadError)) throw error;
      this.#patch(model, { problem: error.problem });
      const { state, stage } = describeLine(model, words);
      if (state === 'failed') announcer.failed(model.name, stage);
    }
  }

  #cancel(model: LineModel): void {
    this.#patch(model, { cancelling: true });
    void model.handle?.cancel();
  }

  #retry(model: LineModel): void {
    const { file, handle, problem } = model;
    if (!file || !handle || !problem) return;
    const { client } = this.#options;
    const id = UNDECIDED_CODES.has(problem.code) ? { id: handle.id } : {};
    Object.assign(model, createLineModel(file, model.name, model.sizeBytes));
    this.#start(model, (on) => client.upload(file, { ...on, ...id }));
  }

  #remove(model: LineModel): void {
    const line = this.#lines.get(model);
    const neighbour = line?.element.nextElementSibling ?? line?.element.previousElementSibling;
    const hadFocus = line?.element.contains(document.activeElement) ?? false;
    this.#models.delete(model);
    this.#lines.delete(model);
    line?.release();
    this.#schedule();
    if (hadFocus) (neighbour?.querySelector<HTMLElement>('.actions button') ?? this.#options.fallbackFocus).focus();
  }

  #patch(model: LineModel, patch: Partial<LineModel>): void {
    Object.assign(model, patch);
    this.#changed.add(model);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#show(), SHOW_AFTER_MS);
  }

  #show(): void {
    this.#scheduled = false;
    const untilMs = performance.now() + SHOW_FOR_MS;
    for (const model of this.#changed) {
      if (performance.now() > untilMs) {
        this.#schedule();
        break;
      }
      this.#changed.delete(model);
      this.#showLine(model);
    }
    this.#options.onShown([...this.#models]);
  }

  #showLine(model: LineModel): void {
    if (!this.#models.has(model)) return;
    const line = this.#lines.get(model);
    if (line) return line.update(model);
    const added = new UploadLine(model, this.#options.words, this.#previews, {
      cancel: () => this.#cancel(model),
      retry: () => this.#retry(model),
      remove: () => this.#remove(model),
    });
    this.#lines.set(model, added);
    this.#options.list.append(added.element);
  }
}
