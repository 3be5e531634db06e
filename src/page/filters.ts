import { make, setAttribute, setText } from './dom.ts';
import { numberFormat } from './formatters.ts';
import type { Filter } from './line-order.ts';
import type { Summary } from './summary.ts';
import type { Words } from './words.ts';

const FILTERS: readonly Filter[] = ['all', 'working', 'failed', 'done'];

/** Returns the filter to use: the chosen one as long as it shows a line. */
export function effectiveFilter(chosen: Filter, { groups }: Pick<Summary, 'groups'>): Filter {
  return chosen === 'all' || groups[chosen] === 0 ? 'all' : chosen;
}

/** Returns the filters that are worth showing: none if all lines are in one group. */
export function offeredFilters({ total, groups }: Pick<Summary, 'total' | 'groups'>): readonly Filter[] {
  const offered = FILTERS.filter((filter) => filter === 'all' || groups[filter] > 0);
  return offered.some((filter) => filter !== 'all' && groups[filter] < total) ? offered : [];
}

/** The buttons that show only the lines of one group. Style sheets hide the others. */
export class Filters {
  readonly #group: HTMLElement;
  readonly #section: HTMLElement;
  readonly #words: Words;
  readonly #buttons: ReadonlyMap<Filter, HTMLButtonElement>;
  #chosen: Filter = 'all';
  #summary: Summary | null = null;

  /** @param section gets the filter as its `data-filter` attribute. */
  constructor(group: HTMLElement, section: HTMLElement, words: Words) {
    this.#group = group;
    this.#section = section;
    this.#words = words;
    this.#buttons = new Map(FILTERS.map((filter) => [filter, this.#createButton(filter)]));
    group.append(...this.#buttons.values());
  }

  show(summary: Summary): void {
    this.#summary = summary;
    this.#chosen = effectiveFilter(this.#chosen, summary);
    const offered = offeredFilters(summary);
    this.#group.hidden = offered.length === 0;
    const { locale, filters } = this.#words;
    for (const [filter, button] of this.#buttons) {
      const count = filter === 'all' ? summary.total : summary.groups[filter];
      button.hidden = !offered.includes(filter);
      setAttribute(button, 'aria-pressed', String(filter === this.#chosen));
      setText(button, filters[filter](numberFormat(locale).format(count)));
    }
    setAttribute(this.#section, 'data-filter', this.#chosen);
  }

  #createButton(filter: Filter): HTMLButtonElement {
    const button = make('button', 'chip');
    button.type = 'button';
    setAttribute(button, 'data-of', filter);
    button.addEventListener('click', () => {
      this.#chosen = filter;
      if (this.#summary) this.show(this.#summary);
    });
    return button;
  }
}
