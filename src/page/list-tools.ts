import { archivePaths } from './archive-paths.ts';
import { required, setText } from './dom.ts';
import { keptNote } from './kept-note.ts';
import type { LineModel } from './line-model.ts';
import { isPicture, type Sort, SORTS } from './line-order.ts';
import { download } from './result-parts.ts';
import { withTransition } from './transition.ts';
import type { Words } from './words.ts';

/** From this number of finished pictures on they can be sorted. */
const SORT_FROM = 4;

interface ListToolsParts {
  words: Words;
  /** The path of the service. */
  base: string;
  models: () => readonly LineModel[];
  sortBy: (sort: Sort) => void;
}

/** The tools for finished files: download all, the order of the pictures, and the note on how long they are kept. */
export class ListTools {
  readonly #parts: ListToolsParts;
  readonly #downloadAll = required('#download-all', HTMLButtonElement);
  readonly #sort = required('#sort', HTMLSelectElement);
  readonly #kept = required('#kept', HTMLElement);

  constructor(parts: ListToolsParts) {
    this.#parts = parts;
    this.#downloadAll.addEventListener('click', () => this.#download());
    this.#sort.addEventListener('change', () => {
      const sort = SORTS.find((known) => known === this.#sort.value);
      if (sort) withTransition([...document.querySelectorAll<HTMLElement>('.tile')], () => parts.sortBy(sort));
    });
  }

  show(models: readonly LineModel[]): void {
    const done = models.filter(({ upload }) => upload !== null);
    this.#downloadAll.hidden = done.length < 2;
    this.#sort.hidden = done.filter(isPicture).length < SORT_FROM;
    setText(this.#kept, keptNote(models, this.#parts.words, Date.now()));
  }

  #download(): void {
    const ids = this.#parts.models().flatMap(({ upload }) => (upload ? [upload.id] : []));
    for (const url of archivePaths(ids, this.#parts.base)) download({ url, saveAs: '' });
  }
}
