import type { LineModel } from './line-model.ts';
import { Previews } from './preview.ts';
import { type LineActions, UploadLine } from './upload-line.ts';
import type { Words } from './words.ts';

/** Changes are collected for this time and shown together. */
const SHOW_AFTER_MS = 50;
/** The longest time of one update. The rest follows in the next one, so that typing and scrolling stay smooth. */
const SHOW_FOR_MS = 12;

/** The parts that the list works with. */
export interface LineListOptions {
  list: HTMLElement;
  words: Words;
  /** Takes the focus if the focused line is removed and no line is left. */
  fallbackFocus: HTMLElement;
  actionsOf: (model: LineModel) => LineActions;
  /** Called each time after the changed lines are shown. */
  onShown: (models: LineModel[]) => void;
}

/** Shows models as lines. Changes are collected for a short time and shown together. */
export class LineList {
  readonly #options: LineListOptions;
  readonly #previews = new Previews();
  readonly #models = new Set<LineModel>();
  readonly #lines = new Map<LineModel, UploadLine>();
  readonly #changed = new Set<LineModel>();
  #scheduled = false;

  constructor(options: LineListOptions) {
    this.#options = options;
  }

  get models(): ReadonlySet<LineModel> {
    return this.#models;
  }

  add(model: LineModel): void {
    this.#models.add(model);
    this.patch(model, {});
  }

  /** Changes a model. A removed model is changed but not shown again. */
  patch(model: LineModel, patch: Partial<LineModel>): void {
    Object.assign(model, patch);
    if (!this.#models.has(model)) return;
    this.#changed.add(model);
    this.#schedule();
  }

  /** Call it after the file of a model has changed. */
  showFile(model: LineModel): void {
    this.#lines.get(model)?.showFile(model.file);
  }

  remove(model: LineModel): void {
    const line = this.#lines.get(model);
    const neighbour = line?.element.nextElementSibling ?? line?.element.previousElementSibling;
    const hadFocus = line?.element.contains(document.activeElement) ?? false;
    this.#models.delete(model);
    this.#changed.delete(model);
    this.#lines.delete(model);
    line?.release();
    this.#schedule();
    if (hadFocus) (neighbour?.querySelector<HTMLElement>('.actions button') ?? this.#options.fallbackFocus).focus();
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
    const line = this.#lines.get(model);
    if (line) return line.update(model);
    const { list, words, actionsOf } = this.#options;
    const added = new UploadLine(model, words, this.#previews, actionsOf(model));
    this.#lines.set(model, added);
    list.append(added.element);
  }
}
