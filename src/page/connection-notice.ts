import { setText } from './dom.ts';
import type { Words } from './words.ts';

interface ConnectionNoticeElements {
  notice: HTMLElement;
  nextTry: HTMLElement;
  tryNow: HTMLButtonElement;
}

/** Says that the server cannot be reached, and when the page tries again. */
export class ConnectionNotice {
  readonly #elements: ConnectionNoticeElements;
  readonly #words: Words;
  #nextTryAtMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param tryNow called when the user does not want to wait. */
  constructor(elements: ConnectionNoticeElements, words: Words, tryNow: () => void) {
    this.#elements = elements;
    this.#words = words;
    elements.tryNow.addEventListener('click', tryNow);
  }

  /** @param nextTryMs time to the next try; undefined if it is not known. */
  lost(nextTryMs: number | undefined): void {
    this.#nextTryAtMs = nextTryMs === undefined ? 0 : Date.now() + nextTryMs;
    this.#elements.notice.hidden = false;
    this.#timer ??= setInterval(() => this.#count(), 1000);
    this.#count();
  }

  restored(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#elements.notice.hidden = true;
  }

  #count(): void {
    const leftMs = this.#nextTryAtMs - Date.now();
    setText(this.#elements.nextTry, leftMs > 0 ? this.#words.nextTry(Math.ceil(leftMs / 1000)) : '');
  }
}
