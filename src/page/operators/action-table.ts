import { make, required, setText } from '../dom.ts';
import { formatAge, formatCount } from './format-figures.ts';

/** One line of a table. */
interface ActionLine {
  readonly id: string;
  readonly title: string;
  /** Shown below the title in small letters. */
  readonly detail: string;
  readonly reason: string;
  readonly tries: number;
  readonly failedAt: string;
}

interface ActionTableOptions {
  /** Prefix of the ids of the elements of the table. */
  readonly name: 'failures' | 'deliveries';
  /** Text of the button in each line. */
  readonly action: string;
  /** Rejects if the server did not accept the action. */
  readonly act: (id: string) => Promise<void>;
}

/** A table of failures, each with a button. Rows that remain keep their elements, and so the focus. */
export class ActionTable {
  readonly #options: ActionTableOptions;
  readonly #region: HTMLElement;
  readonly #none: HTMLElement;
  readonly #more: HTMLElement;
  readonly #body: HTMLTableSectionElement;
  readonly #rows = new Map<string, ActionRow>();

  constructor(options: ActionTableOptions) {
    const { name } = options;
    this.#options = options;
    this.#region = required(`#${name}`, HTMLElement);
    this.#none = required(`#${name}-none`, HTMLElement);
    this.#more = required(`#${name}-more`, HTMLElement);
    this.#body = required(`#${name}-rows`, HTMLTableSectionElement);
    required(`#${name}-all`, HTMLButtonElement).addEventListener('click', () => {
      for (const row of this.#rows.values()) void row.act();
    });
  }

  /** Shows the newest failures, of `count` in all. */
  show(count: number, newest: readonly ActionLine[], nowMs: number): void {
    const shown = new Set(newest.map(({ id }) => id));
    for (const [id, row] of this.#rows) if (!shown.has(id)) this.#remove(id, row);
    for (const [index, line] of newest.entries()) {
      const row = this.#rows.get(line.id) ?? new ActionRow(this.#options);
      this.#rows.set(line.id, row);
      row.show(line, nowMs);
      if (this.#body.children[index] !== row.element)
        this.#body.insertBefore(row.element, this.#body.children[index] ?? null);
    }
    this.#region.hidden = newest.length === 0;
    this.#none.hidden = newest.length > 0;
    this.#more.hidden = count <= newest.length;
    setText(this.#more, `Older failures that are not shown: ${formatCount(count - newest.length)}.`);
  }

  #remove(id: string, { element }: ActionRow): void {
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.#rows.delete(id);
    if (hadFocus) this.#region.focus();
  }
}

class ActionRow {
  readonly #options: ActionTableOptions;
  readonly #title = make('span', '');
  readonly #detail = make('span', 'id');
  readonly #reason = make('td', '');
  readonly #tries = make('td', 'number');
  readonly #failed = make('td', '');
  readonly #button = make('button', '');
  readonly element = make(
    'tr',
    '',
    make('td', 'name', this.#title, this.#detail),
    this.#reason,
    this.#tries,
    this.#failed,
    make('td', 'number', this.#button),
  );
  #id: string | undefined;

  constructor(options: ActionTableOptions) {
    this.#options = options;
    this.#button.type = 'button';
    this.#button.textContent = options.action;
    this.#button.addEventListener('click', () => void this.act());
  }

  show({ id, title, detail, reason, tries, failedAt }: ActionLine, nowMs: number): void {
    this.#id = id;
    setText(this.#title, title);
    setText(this.#detail, detail);
    setText(this.#reason, reason);
    setText(this.#tries, formatCount(tries));
    setText(this.#failed, `${formatAge(Math.max(0, nowMs - Date.parse(failedAt)))} ago`);
    this.#button.setAttribute('aria-label', `${this.#options.action} ${title}`);
  }

  async act(): Promise<void> {
    if (this.#id === undefined || this.#button.ariaDisabled === 'true') return;
    // The attribute `disabled` would take the focus away from the button.
    this.#button.ariaDisabled = 'true';
    try {
      await this.#options.act(this.#id);
    } catch (error) {
      setText(this.#reason, error instanceof Error ? error.message : String(error));
    } finally {
      this.#button.ariaDisabled = null;
    }
  }
}
