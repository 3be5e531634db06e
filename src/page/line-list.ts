import { moveToStart } from './dom.ts';
import { stateOf, type LineModel } from './line-model.ts';
import { groupOf, GROUPS, isGallery, isPicture, type LineGroup, type Rank, rankOf, type Sort } from './line-order.ts';
import { Previews } from './preview.ts';
import { ListGroups } from './list-groups.ts';
import { SortedLines } from './sorted-lines.ts';
import { type LineActions, UploadLine } from './upload-line.ts';
import type { Words } from './words.ts';

/** Changes are collected for this time and shown together. */
const SHOW_AFTER_MS = 50;
/** The longest time of one update. The rest follows in the next one, so that typing and scrolling stay smooth. */
const SHOW_FOR_MS = 8;

interface LineListOptions {
  /** Gets the groups of lines and tiles. */
  list: HTMLElement;
  words: Words;
  /** Takes the focus if the focused line is removed and no line is left. */
  fallbackFocus: HTMLElement;
  actionsOf: (model: LineModel) => LineActions;
  /** Called each time after the changed lines are shown. */
  onShown: (models: readonly LineModel[]) => void;
}

/** Shows models as lines or tiles in the order of their groups. Changes are collected and shown together. */
export class LineList {
  readonly #options: LineListOptions;
  readonly #groups: ListGroups;
  readonly #previews = new Previews();
  readonly #places = new Map<LineModel, number>();
  readonly #oldPlaces = new WeakMap<LineModel, number>();
  readonly #shown = new Map<LineModel, UploadLine>();
  readonly #order = new SortedLines();
  readonly #changed = new Set<LineModel>();
  /** Lines that must be built again. */
  readonly #outdated = new Set<LineModel>();
  /** The models in the order in which they were added; null if the list must be computed again. */
  #models: LineModel[] | null = [];
  #sort: Sort = 'added';
  #isGallery = false;
  /** True if elements may not be in the order of their models. */
  #isDisordered = false;
  #nextPlace = 0;
  #scheduled = false;

  constructor(options: LineListOptions) {
    this.#options = options;
    this.#groups = new ListGroups(options.list);
  }

  /** The models in the order in which they were added. */
  get models(): readonly LineModel[] {
    this.#models ??= [...this.#places.keys()].sort((a, b) => this.#placeOf(a) - this.#placeOf(b));
    return this.#models;
  }

  /** The models in the order in which they are shown. */
  get sorted(): readonly LineModel[] {
    return this.#order.models;
  }

  /** Adds a model at the end, or at its old place if it was removed before. */
  add(model: LineModel): void {
    const oldPlace = this.#oldPlaces.get(model);
    if (!this.#places.has(model)) {
      this.#places.set(model, oldPlace ?? (this.#nextPlace += 1));
      if (oldPlace === undefined) this.#models?.push(model);
      else this.#models = null;
    }
    this.patch(model, {});
  }

  /** Changes a model. A removed model is changed but not shown again. */
  patch(model: LineModel, patch: Partial<LineModel>): void {
    Object.assign(model, patch);
    if (!this.#places.has(model)) return;
    this.#changed.add(model);
    this.#schedule();
  }

  /** Call it after the file of a model has changed. */
  showFile(model: LineModel): void {
    this.#shown.get(model)?.showFile(model.file);
  }

  /** Moves the first lines at once, and the others a little later if there are hundreds. */
  sortBy(sort: Sort): void {
    this.#sort = sort;
    this.#order.sortBy((model) => this.#rankOf(model));
    this.#isDisordered = true;
    this.#arrange(performance.now() + SHOW_FOR_MS);
  }

  remove(model: LineModel): boolean {
    if (!this.#places.has(model)) return false;
    const line = this.#shown.get(model);
    const neighbour = line && this.#neighbourOf(model);
    const hadFocus = line?.element.contains(document.activeElement) ?? false;
    this.#oldPlaces.set(model, this.#placeOf(model));
    this.#places.delete(model);
    this.#models = null;
    this.#changed.delete(model);
    this.#drop(model);
    this.#schedule();
    if (hadFocus) (neighbour ?? this.#options.fallbackFocus).focus();
    return true;
  }

  /** Builds every line again, for example in another language. */
  rebuild(): void {
    for (const model of this.#shown.keys()) {
      this.#outdated.add(model);
      this.#changed.add(model);
    }
    this.#schedule();
  }

  #neighbourOf(model: LineModel): UploadLine | undefined {
    const index = this.#order.indexOf(model);
    const neighbour = this.sorted[index + 1] ?? this.sorted[index - 1];
    return neighbour && this.#shown.get(neighbour);
  }

  #drop(model: LineModel): void {
    this.#shown.get(model)?.release();
    this.#shown.delete(model);
    this.#outdated.delete(model);
    this.#order.remove(model);
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
    this.#arrange(untilMs);
    this.#groups.refill();
    this.#options.onShown(this.models);
  }

  /** Turns pictures into tiles or back into lines. */
  #chooseShape(): void {
    const wasGallery = this.#isGallery;
    this.#isGallery = isGallery(this.models, wasGallery);
    if (wasGallery === this.#isGallery) return;
    for (const model of this.#shown.keys()) this.#changed.add(model);
  }

  #showLine(model: LineModel): void {
    const line = this.#shown.get(model);
    if (!line || line.isTile !== this.#isTile(model) || this.#outdated.has(model)) return this.#create(model);
    line.update(model);
    this.#move(model, line);
  }

  #create(model: LineModel): void {
    const { words, actionsOf } = this.#options;
    this.#drop(model);
    const line = new UploadLine(model, {
      words,
      previews: this.#previews,
      on: actionsOf(model),
      isTile: this.#isTile(model),
    });
    this.#shown.set(model, line);
    this.#move(model, line);
  }

  #move(model: LineModel, line: UploadLine): void {
    const index = this.#order.place(model, this.#rankOf(model));
    if (index === null) return;
    const next = this.#nextElement(index + 1, line.isTile);
    const group = groupOf(stateOf(model));
    if (line.isTile) this.#groups.placeTile(line.element, group, next);
    else this.#groups.placeLine(line.element, group, next);
  }

  /** Returns the first element of the same shape from this index on. */
  #nextElement(index: number, isTile: boolean): Element | null {
    for (let at = index; at < this.sorted.length; at += 1) {
      const model = this.sorted[at];
      const line = model && this.#shown.get(model);
      if (line?.isTile === isTile) return line.element;
    }
    return null;
  }

  /** Puts the elements into the order of their models. Continues in the next update if the time is up. */
  #arrange(untilMs: number): void {
    if (!this.#isDisordered) return;
    for (const [container, elements] of this.#containers()) {
      if (performance.now() > untilMs) return this.#schedule();
      moveToStart(container, elements);
    }
    this.#isDisordered = false;
  }

  /** Returns each container with its elements in the order of their models. */
  #containers(): [container: Element, elements: readonly Element[]][] {
    const elementsOf = (group: LineGroup, isTile: boolean): HTMLElement[] =>
      this.sorted.flatMap((model) => {
        const line = this.#shown.get(model);
        return line?.isTile === isTile && groupOf(stateOf(model)) === group ? [line.element] : [];
      });
    return GROUPS.flatMap((group) =>
      this.#groups.containersFor(group, { tiles: elementsOf(group, true), lines: elementsOf(group, false) }),
    );
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
}
