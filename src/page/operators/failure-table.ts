import type { FailedUpload } from '../../wire/documents.ts';
import { make, required, setText } from '../dom.ts';
import { formatAge, formatCount } from './format-figures.ts';

/** The table of failed uploads, each with a retry button. Rows that remain keep their elements, and so the focus. */
export class FailureTable {
  readonly #retry: (upload: FailedUpload) => Promise<void>;
  readonly #region = required('#failures', HTMLElement);
  readonly #none = required('#failures-none', HTMLElement);
  readonly #more = required('#failures-more', HTMLElement);
  readonly #body = required('#failure-rows', HTMLTableSectionElement);
  readonly #rows = new Map<string, FailureRow>();

  /** @param retry rejects if the server did not accept the retry. */
  constructor(retry: (upload: FailedUpload) => Promise<void>) {
    this.#retry = retry;
    required('#retry-all', HTMLButtonElement).addEventListener('click', () => {
      for (const row of this.#rows.values()) void row.retry();
    });
  }

  show({ count, newest }: { count: number; newest: readonly FailedUpload[] }, nowMs: number): void {
    const shown = new Set(newest.map(({ ref }) => ref));
    for (const [ref, row] of this.#rows) if (!shown.has(ref)) this.#remove(ref, row);
    for (const [index, upload] of newest.entries()) {
      const row = this.#rows.get(upload.ref) ?? new FailureRow(this.#retry);
      this.#rows.set(upload.ref, row);
      row.show(upload, nowMs);
      if (this.#body.children[index] !== row.element)
        this.#body.insertBefore(row.element, this.#body.children[index] ?? null);
    }
    this.#region.hidden = newest.length === 0;
    this.#none.hidden = newest.length > 0;
    this.#more.hidden = count <= newest.length;
    setText(this.#more, `Older failures that are not shown: ${formatCount(count - newest.length)}.`);
  }

  #remove(ref: string, { element }: FailureRow): void {
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.#rows.delete(ref);
    if (hadFocus) this.#region.focus();
  }
}

class FailureRow {
  readonly #retry: (upload: FailedUpload) => Promise<void>;
  readonly #name = make('span', '');
  readonly #ref = make('span', 'id');
  readonly #error = make('td', '');
  readonly #attempts = make('td', 'number');
  readonly #failed = make('td', '');
  readonly #button = make('button', '', 'Retry');
  readonly element = make(
    'tr',
    '',
    make('td', 'name', this.#name, this.#ref),
    this.#error,
    this.#attempts,
    this.#failed,
    make('td', 'number', this.#button),
  );
  #upload: FailedUpload | undefined;

  constructor(retry: (upload: FailedUpload) => Promise<void>) {
    this.#retry = retry;
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => void this.retry());
  }

  show(upload: FailedUpload, nowMs: number): void {
    this.#upload = upload;
    setText(this.#name, upload.name);
    setText(this.#ref, upload.ref);
    setText(this.#error, upload.code);
    setText(this.#attempts, formatCount(upload.attempts));
    setText(this.#failed, `${formatAge(Math.max(0, nowMs - Date.parse(upload.failedAt)))} ago`);
    this.#button.setAttribute('aria-label', `Retry ${upload.name}`);
  }

  async retry(): Promise<void> {
    if (this.#upload === undefined || this.#button.ariaDisabled === 'true') return;
    // The attribute `disabled` would take the focus away from the button.
    this.#button.ariaDisabled = 'true';
    try {
      await this.#retry(this.#upload);
    } catch (error) {
      setText(this.#error, error instanceof Error ? error.message : String(error));
    } finally {
      this.#button.ariaDisabled = null;
    }
  }
}
