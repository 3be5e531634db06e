import { iconButton, icon, make, setAttribute, setText, textButton } from './dom.ts';
import { fileName } from './file-name.ts';
import { formatBytes, formatPercent } from './format.ts';
import { isDelivered, isWorthRetrying, type LineModel, type LineState } from './line-model.ts';
import { groupOf } from './line-order.ts';
import { describeLine } from './line-text.ts';
import type { Previews } from './preview.ts';
import { resultView } from './result-view.ts';
import { Thumbnail } from './thumbnail.ts';
import type { Words } from './words.ts';

/** What happens when the user clicks a button of the line. */
export interface LineActions {
  readonly pause: () => void;
  readonly resume: () => void;
  readonly cancel: () => void;
  readonly retry: () => void;
  readonly chooseAgain: () => void;
  readonly hide: () => void;
  readonly delete: () => void;
  /** Shows the finished picture in the viewer. */
  readonly view: () => void;
}

interface LineParts {
  words: Words;
  previews: Previews;
  on: LineActions;
  /** True for a tile of the gallery, which shows the picture and no facts. */
  isTile: boolean;
}

const OVER: ReadonlySet<LineState> = new Set(['stopped', 'done', 'failed', 'cancelled']);

/** The line or tile of one file. It shows its model and never changes it. */
export class UploadLine {
  readonly element: HTMLElement;
  readonly isTile: boolean;
  readonly #words: Words;
  readonly #thumbnail: Thumbnail;
  readonly #stage = make('span', 'stage');
  readonly #timeLeft = make('span', 'time-left');
  readonly #percent = make('span', 'percent');
  readonly #bar = make('progress', '');
  readonly #body = make('div', 'body');
  readonly #actions = make('div', 'actions');
  readonly #on: LineActions;
  #shown = '';
  #hasResult = false;

  constructor(model: LineModel, { words, previews, on, isTile }: LineParts) {
    this.isTile = isTile;
    this.element = isTile ? make('div', 'file tile') : make('li', 'file line');
    if (isTile) this.element.setAttribute('role', 'listitem');
    this.#words = words;
    this.#on = on;
    this.#thumbnail = new Thumbnail(previews, model, { isTile, view: on.view });
    this.#bar.max = 100;
    this.#bar.setAttribute('aria-label', words.progressOf(model.name));
    const size = make('span', 'size', formatBytes(model.sizeBytes, words.locale));
    this.#body.append(
      make('div', 'head', fileName(model.name), this.#percent),
      this.#bar,
      make('p', 'meta', size, this.#stage, this.#timeLeft),
    );
    this.element.append(this.#thumbnail.element, this.#body, this.#actions);
    this.update(model);
  }

  /** Shows the current state of the model. Changes only the parts that differ. */
  update(model: LineModel): void {
    const { state, stage, timeLeft, percent } = describeLine(model, this.#words);
    setText(this.#stage, stage);
    setText(this.#timeLeft, timeLeft ?? '');
    setText(this.#percent, percent === null || OVER.has(state) ? '' : formatPercent(percent, this.#words.locale));
    this.#showBar(state, percent);
    this.#showState(model, state);
    if (this.isTile) this.#thumbnail.develop(state === 'done' ? 100 : (percent ?? 0));
    if (model.upload?.result && !this.#hasResult) this.#showResult(model.upload, model.name);
  }

  /** Shows the preview of a file that was chosen again. */
  showFile(file: File | null): void {
    this.#thumbnail.showFile(file);
  }

  /** Removes the line from the page and releases its preview. */
  release(): void {
    this.#thumbnail.release();
    this.element.remove();
  }

  /** Moves the focus to the button that continues the upload, or else to the last one, which deletes nothing. */
  focus(): void {
    const buttons = this.#actions.querySelectorAll('button');
    (this.#body.querySelector<HTMLElement>('.recovery button') ?? buttons[buttons.length - 1])?.focus();
  }

  #showBar(state: LineState, percent: number | null): void {
    this.#bar.hidden = OVER.has(state);
    if (percent === null) this.#bar.removeAttribute('value');
    else if (percent !== this.#bar.value || !this.#bar.hasAttribute('value')) this.#bar.value = percent;
  }

  /** Replaces icons and buttons only if the state changes, because a replaced button loses a click in progress. */
  #showState(model: LineModel, state: LineState): void {
    const canPause = !OVER.has(state) && model.file !== null && !isDelivered(model) && !model.cancelling;
    const shown = [state, canPause, isWorthRetrying(model)].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    setAttribute(this.element, 'data-state', state);
    setAttribute(this.element, 'data-group', groupOf(state));
    const hadFocus =
      this.#actions.contains(document.activeElement) ||
      this.#body.querySelector('.recovery')?.contains(document.activeElement) === true;
    this.#actions.replaceChildren(...this.#buttons(model, state, canPause));
    this.#body.querySelector('.recovery')?.remove();
    const recovery = this.#recoveryButton(model, state);
    if (recovery) this.#body.append(make('p', 'recovery', recovery));
    this.#body.querySelector('.head .icon')?.remove();
    const sign = state === 'done' ? icon('check') : state === 'failed' || state === 'stopped' ? icon('alert') : null;
    if (sign) this.#percent.after(sign);
    if (hadFocus) this.focus();
  }

  #buttons({ name, handle }: LineModel, state: LineState, canPause: boolean): HTMLElement[] {
    const { actions } = this.#words;
    const hide = iconButton('cross', actions.hide(name), this.#on.hide);
    // The server has nothing of a file that was never sent, and removes a cancelled one itself.
    if (OVER.has(state) && (handle === null || state === 'cancelled')) return [hide];
    if (OVER.has(state)) return [iconButton('trash', actions.delete(name), this.#on.delete), hide];
    const cancel = iconButton('cross', actions.cancel(name), this.#on.cancel);
    if (state === 'paused') return [iconButton('resume', actions.resume(name), this.#on.resume), cancel];
    return canPause ? [iconButton('pause', actions.pause(name), this.#on.pause), cancel] : [cancel];
  }

  /** Returns the button with which the user continues after a failure; null if there is no way. */
  #recoveryButton(model: LineModel, state: LineState): HTMLElement | null {
    const { actions } = this.#words;
    if (state === 'stopped')
      return textButton(actions.chooseAgain, actions.named(actions.chooseAgain, model.name), this.#on.chooseAgain);
    if (!isWorthRetrying(model)) return null;
    const text = model.problem?.code === 'unsupported_name' ? actions.sendAnyway : actions.retry;
    return textButton(text, actions.named(text, model.name), this.#on.retry);
  }

  #showResult(upload: NonNullable<LineModel['upload']>, name: string): void {
    this.#hasResult = true;
    const view = this.isTile ? null : resultView(upload, this.#words);
    if (view) this.#body.append(view);
    if (upload.result) this.#thumbnail.showResult(upload.result, this.#words.links.open(name));
  }
}
