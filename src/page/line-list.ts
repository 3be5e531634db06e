import { moveBefore } from './dom.ts';
import { stateOf, type LineModel } from './line-model.ts';
import { compareRanks, insertionIndex, isGallery, isPicture, type Rank, rankOf, type Sort } from './line-order.ts';
import { Previews } from './preview.ts';
import { type LineActions, UploadLine } from './upload-line.ts';
import type { Words } from './words.ts';

/** Changes are collected for this time and shown together. */
const SHOW_AFTER_MS = 50;
/** The longest time of one update. The rest follows in the next one, so that typing and scrolling stay smooth. */
const SHOW_FOR_MS = 12;

/** The parts that the list works with. */
export interface LineListOptions {
  /** Shows the pictures if there are four or more. */
  gallery: HTMLElement;
  list: HTMLElement;
  words: Words;
  /** Takes the focus if the focused line is removed and no line is left. */
  fallbackFocus: HTMLElement;
  actionsOf: (model: LineModel) => LineActions;
  /** Called each time after the changed lines are shown. */
  onShown: (models: LineModel[]) => void;
}

interface Shown {
  readonly line: UploadLine;
  rank: Rank;
}

/** Shows models as lines or tiles in the order of their groups. Changes are collected and shown together. */
export class LineList {
  readonly #options: LineListOptions;
  readonly #previews = new Previews();
  readonly #models = new Set<LineModel>();
  readonly #places = new WeakMap<LineModel, number>();
  readonly #shown = new Map<LineModel, Shown>();
  readonly #changed = new Set<LineModel>();
  /** All shown models in their order. */
  #sorted: LineModel[] = [];
  #sort: Sort = 'added';
  #isGallery = false;
  #nextPlace = 0;
  #scheduled = false;

  constructor(options: LineListOptions) {
    this.#options = options;
  }

  /** In the order in which they were added. */
  get models(): LineModel[] {
    return [...this.#models].sort((a, b) => this.#placeOf(a) - this.#placeOf(b));
  }

  /** In the order in which they are shown. */
  get sorted(): readonly LineModel[] {
    return this.#sorted;
  }

  /** Adds a model at the end, or at its old place if it was removed before. */
  add(model: LineModel): void {
    this.#models.add(model);
    if (!this.#places.has(model)) this.#places.set(model, (this.#nextPlace += 1));
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
    this.#shown.get(model)?.line.showFile(model.file);
  }

  sortBy(sort: Sort): void {
    this.#sort = sort;
    for (const [model, shown] of this.#shown) shown.rank = this.#rankOf(model);
    this.#sorted.sort((a, b) => compareRanks(this.#rank(a), this.#rank(b)));
    for (const model of this.#sorted) {
      const line = this.#shown.get(model)?.line;
      if (line) moveBefore(this.#containerOf(line), line.element, null);
    }
  }

  remove(model: LineModel): void {
    const line = this.#shown.get(model)?.line;
    const neighbour = line && this.#neighbourOf(model);
    const hadFocus = line?.element.contains(document.activeElement) ?? false;
    this.#models.delete(model);
    this.#changed.delete(model);
    this.#drop(model);
    this.#schedule();
    if (!hadFocus) return;
    if (neighbour) neighbour.focus();
    else this.#options.fallbackFocus.focus();
  }

  #neighbourOf(model: LineModel): UploadLine | undefined {
    const index = this.#sorted.indexOf(model);
    const neighbour = this.#sorted[index + 1] ?? this.#sorted[index - 1];
    return neighbour && this.#shown.get(neighbour)?.line;
  }

  /** Builds every line again, for example in another language. */
  rebuild(): void {
    for (const model of this.#models) {
      this.#drop(model);
      this.#changed.add(model);
    }
    this.#schedule();
  }

  #drop(model: LineModel): void {
    this.#shown.get(model)?.line.release();
    this.#shown.delete(model);
    this.#sorted = this.#sorted.filter((other) => other !== model);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#show(), SHOW_AFTER_MS);
  }

  #show(): void {
    this.#scheduled = false;
    const untilMs = performance.now() + SHOW_FOR_MS;
    this.#chooseShape();
    for (const model of this.#changed) {
      if (performance.now() > untilMs) {
        this.#schedule();
        break;
      }
      this.#changed.delete(model);
      this.#showLine(model);
    }
    this.#options.onShown(this.models);
  }

  /** Turns pictures into tiles or back into lines. */
  #chooseShape(): void {
    const wasGallery = this.#isGallery;
    this.#isGallery = isGallery(this.#models, wasGallery);
    if (wasGallery === this.#isGallery) return;
    for (const [model, { line }] of this.#shown) {
      if (line.isTile === this.#isTile(model)) continue;
      this.#drop(model);
      this.#changed.add(model);
    }
  }

  #showLine(model: LineModel): void {
    const shown = this.#shown.get(model);
    if (!shown) return this.#create(model);
    shown.line.update(model);
    const rank = this.#rankOf(model);
    if (compareRanks(rank, shown.rank) === 0) return;
    this.#sorted = this.#sorted.filter((other) => other !== model);
    shown.rank = rank;
    this.#insert(model, shown);
  }

  #create(model: LineModel): void {
    const { words, actionsOf } = this.#options;
    const line = new UploadLine(model, {
      words,
      previews: this.#previews,
      on: actionsOf(model),
      isTile: this.#isTile(model),
    });
    const shown = { line, rank: this.#rankOf(model) };
    this.#shown.set(model, shown);
    this.#insert(model, shown);
  }

  #insert(model: LineModel, { line, rank }: Shown): void {
    const index = insertionIndex(
      this.#sorted.map((other) => this.#rank(other)),
      rank,
    );
    const next = this.#sorted.slice(index).find((other) => this.#shown.get(other)?.line.isTile === line.isTile);
    this.#sorted.splice(index, 0, model);
    const before = next ? this.#shown.get(next)?.line.element : undefined;
    moveBefore(this.#containerOf(line), line.element, before ?? null);
  }

  #containerOf(line: UploadLine): HTMLElement {
    return line.isTile ? this.#options.gallery : this.#options.list;
  }

  #isTile(model: LineModel): boolean {
    return this.#isGallery && isPicture(model);
  }

  #placeOf(model: LineModel): number {
    return this.#places.get(model) ?? 0;
  }

  #rankOf(model: LineModel): Rank {
    return rankOf(model, stateOf(model), { place: this.#placeOf(model), sort: this.#sort });
  }

  #rank(model: LineModel): Rank {
    return this.#shown.get(model)?.rank ?? this.#rankOf(model);
  }
}
