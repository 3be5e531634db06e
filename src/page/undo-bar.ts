import { setText } from './dom.ts';

/** Time in which the user can take back an action. */
const UNDO_WITHIN_MS = 5000;

/** An action that can be taken back. */
export interface Undoable {
  /** The text of the bar for a number of files, for example that 3 files were hidden. */
  text: (count: number) => string;
  undo: () => void;
  /** Called when the time is up or the page is closed. */
  commit: () => void;
}

interface UndoBarElements {
  bar: HTMLElement;
  text: Element;
  undo: HTMLButtonElement;
}

/**
 * Lets the user take back the last action for 5 seconds. Actions of the same kind within this time are taken back
 * together. The time stands still while the pointer or the focus is on the bar.
 */
export class UndoBar {
  readonly #elements: UndoBarElements;
  readonly #fallbackFocus: HTMLElement;
  #kind = '';
  #actions: Undoable[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(elements: UndoBarElements, fallbackFocus: HTMLElement) {
    this.#elements = elements;
    this.#fallbackFocus = fallbackFocus;
    const { bar, undo } = elements;
    undo.addEventListener('click', () => this.#undo());
    for (const event of ['pointerenter', 'focusin']) bar.addEventListener(event, () => clearTimeout(this.#timer));
    for (const event of ['pointerleave', 'focusout']) bar.addEventListener(event, () => this.#startTime());
  }

  /** Shows the bar. An action of another kind that is still there is committed. */
  offer(kind: string, actions: readonly Undoable[]): void {
    if (kind !== this.#kind) this.flush();
    this.#kind = kind;
    this.#actions.push(...actions);
    const [first] = this.#actions;
    if (!first) return;
    // Everything outside an open dialog can neither be seen nor clicked.
    (document.querySelector('dialog[open]') ?? document.body).append(this.#elements.bar);
    setText(this.#elements.text, first.text(this.#actions.length));
    this.#elements.bar.hidden = false;
    this.#startTime();
  }

  /** Call it when a dialog is closed, which may contain the bar. */
  leaveDialog(): void {
    document.body.append(this.#elements.bar);
  }

  /** Commits all actions at once. Call it when the page is closed. */
  flush(): void {
    for (const { commit } of this.#close()) commit();
  }

  #undo(): void {
    for (const { undo } of this.#close()) undo();
  }

  #startTime(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), UNDO_WITHIN_MS);
  }

  #close(): readonly Undoable[] {
    clearTimeout(this.#timer);
    const { bar } = this.#elements;
    if (bar.contains(document.activeElement)) this.#fallbackFocus.focus();
    bar.hidden = true;
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }
}
