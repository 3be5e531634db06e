import type { LineModel } from './line-model.ts';
import { compareRanks, insertionIndex, type Rank } from './line-order.ts';

/** Models in the order of their ranks. A change costs a few comparisons, also among several hundred models. */
export class SortedLines {
  readonly #ranks = new Map<LineModel, Rank>();
  readonly #models: LineModel[] = [];

  /** The same array each time. It changes with each call of the other methods. */
  get models(): readonly LineModel[] {
    return this.#models;
  }

  /** Inserts or moves a model. Returns its new index, or null if it was already at its place. */
  place(model: LineModel, rank: Rank): number | null {
    const previous = this.#ranks.get(model);
    if (previous && compareRanks(previous, rank) === 0) return null;
    this.remove(model);
    const index = this.#indexAfter(rank);
    this.#ranks.set(model, rank);
    this.#models.splice(index, 0, model);
    return index;
  }

  /** Does nothing if the model is not there. */
  remove(model: LineModel): void {
    const index = this.indexOf(model);
    if (index < 0) return;
    this.#models.splice(index, 1);
    this.#ranks.delete(model);
  }

  /** Returns the index of the model; -1 if it is not in the list. */
  indexOf(model: LineModel): number {
    const rank = this.#ranks.get(model);
    return rank ? this.#indexAfter(rank) - 1 : -1;
  }

  /** Sorts all models again by new ranks. */
  sortBy(rankOf: (model: LineModel) => Rank): void {
    const ranked = this.#models.map((model) => ({ model, rank: rankOf(model) }));
    ranked.sort((a, b) => compareRanks(a.rank, b.rank));
    this.#models.splice(0, this.#models.length, ...ranked.map(({ model }) => model));
    for (const { model, rank } of ranked) this.#ranks.set(model, rank);
  }

  #indexAfter(rank: Rank): number {
    return insertionIndex(this.#models, (model) => this.#ranks.get(model), rank);
  }
}
