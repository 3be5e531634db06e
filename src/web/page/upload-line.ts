import { icon, iconButton, make, setAttribute, setText } from './dom.ts';
import { formatBytes, formatPercent } from './format.ts';
import { describeLine, isWorthRetrying, type LineModel, type LineState } from './line-model.ts';
import type { Previews } from './preview.ts';
import { resultView } from './result-view.ts';
import { Thumbnail } from './thumbnail.ts';
import type { Words } from './words.ts';

/** What a person can do to a line. */
export interface LineActions {
  readonly cancel: () => void;
  readonly retry: () => void;
  readonly remove: () => void;
}

/** The line of one picture. It shows a model, and changes nothing of it. */
export class UploadLine {
  readonly element = make('li', 'line');
  readonly #words: Words;
  readonly #thumbnail: Thumbnail;
  readonly #stage = make('span', 'stage');
  readonly #timeLeft = make('span', 'time-left');
  readonly #percent = make('span', 'percent');
  readonly #bar = make('progress', '');
  readonly #body = make('div', 'body');
  readonly #actions = make('div', 'actions');
  readonly #on: LineActions;
  #state: LineState | null = null;

  constructor(model: LineModel, words: Words, previews: Previews, on: LineActions) {
    this.#words = words;
    this.#on = on;
    this.#thumbnail = new Thumbnail(previews, model.file);
    this.#bar.max = 100;
    this.#bar.setAttribute('aria-label', words.progressOf(model.name));
    const name = make('span', 'name', model.name);
    name.title = model.name;
    const size = make('span', 'size', formatBytes(model.sizeBytes, words.locale));
    this.#body.append(
      make('div', 'head', name, this.#percent),
      this.#bar,
      make('p', 'meta', size, this.#stage, this.#timeLeft),
    );
    this.element.append(this.#thumbnail.element, this.#body, this.#actions);
    this.update(model);
  }

  /** Cheap where little has changed. */
  update(model: LineModel): void {
    const { state, stage, timeLeft, percent } = describeLine(model, this.#words);
    setText(this.#stage, stage);
    setText(this.#timeLeft, timeLeft ?? '');
    setText(this.#percent, percent === null || state === 'done' ? '' : formatPercent(percent, this.#words.locale));
    this.#showBar(state, percent);
    if (state === this.#state) return;
    this.#state = state;
    setAttribute(this.element, 'data-state', state);
    this.#showActions(model, state);
    if (model.upload?.result) {
      const { result } = model.upload;
      this.#body.append(resultView(model.upload, result, this.#words));
      this.#thumbnail.showResult(result, this.#words.links.open(model.name));
    }
  }

  /** To be called when it leaves the list. */
  release(): void {
    this.#thumbnail.release();
    this.element.remove();
  }

  /** Puts the keyboard on its first action. */
  focus(): void {
    this.#actions.querySelector('button')?.focus();
  }

  #showBar(state: LineState, percent: number | null): void {
    this.#bar.hidden = state === 'done' || state === 'failed' || state === 'cancelled';
    if (percent === null) this.#bar.removeAttribute('value');
    else if (percent !== this.#bar.value || !this.#bar.hasAttribute('value')) this.#bar.value = percent;
  }

  #showActions(model: LineModel, state: LineState): void {
    const { name } = model;
    const { actions } = this.#words;
    const hadFocus = this.#actions.contains(document.activeElement);
    const isOver = state === 'done' || state === 'failed' || state === 'cancelled';
    const buttons: HTMLElement[] = [];
    if (isWorthRetrying(model)) buttons.push(iconButton('again', actions.retry(name), this.#on.retry));
    if (isOver) buttons.push(iconButton('cross', actions.remove(name), this.#on.remove));
    else buttons.push(iconButton('cross', actions.cancel(name), this.#on.cancel));
    this.#actions.replaceChildren(...buttons);
    if (hadFocus) this.focus();
    const sign = state === 'done' ? icon('check') : state === 'failed' ? icon('alert') : null;
    this.#body.querySelector('.head .icon')?.remove();
    if (sign) this.#percent.after(sign);
  }
}
