import { setAttribute, setText } from './dom.ts';
import { formatBytes, formatDuration, formatPercent } from './format.ts';
import type { Summary } from './summary.ts';
import { TimeLeft } from './time-left.ts';
import type { Words } from './words.ts';

/** The elements that show the numbers. */
export interface SummaryElements {
  section: HTMLElement;
  text: Element;
  bytes: Element;
  timeLeft: Element;
  bar: HTMLProgressElement;
  pauseAll: HTMLButtonElement;
  cancelAll: HTMLButtonElement;
  hideFinished: HTMLButtonElement;
}

/** Shows the numbers above the list and in the title of the document. */
export class SummaryView {
  readonly #elements: SummaryElements;
  readonly #words: Words;
  readonly #timeLeft = new TimeLeft();

  constructor(elements: SummaryElements, words: Words) {
    this.#elements = elements;
    this.#words = words;
  }

  /** @param isConnected false while the server cannot be reached. */
  show(summary: Summary, isConnected: boolean): void {
    const { section, text, bytes, bar } = this.#elements;
    const { groups, total, percent, busy, paused } = summary;
    section.hidden = total === 0;
    setAttribute(document.body, 'data-filled', total === 0 ? null : '');
    setText(text, this.#words.summary(groups.done, total, groups.failed));
    setText(bytes, this.#bytesText(summary));
    bar.value = percent;
    setAttribute(bar, 'data-over', busy + paused === 0 ? '' : null);
    setAttribute(bar, 'data-busy', busy > 0 ? '' : null);
    this.#showTimeLeft(summary, isConnected);
    this.#showActions(summary);
    const title = titleOf(summary, this.#words);
    if (document.title !== title) document.title = title;
  }

  /** Returns how many bytes were sent; empty as soon as everything was sent. */
  #bytesText({ bytes }: Summary): string {
    if (bytes.sent >= bytes.total) return '';
    const { locale } = this.#words;
    return this.#words.sent(formatBytes(bytes.sent, locale), formatBytes(bytes.total, locale));
  }

  #showTimeLeft({ total, percent, busy, paused, slowestMs }: Summary, isConnected: boolean): void {
    const isAdvancing = isConnected && busy > 0 && paused === 0;
    const leftMs = this.#timeLeft.estimate({ total, percent, busy, isAdvancing, slowestMs }, performance.now());
    // A single line shows its own remaining time.
    const duration = leftMs === null || total === 1 ? null : formatDuration(leftMs, this.#words.locale);
    setText(this.#elements.timeLeft, duration === null ? '' : this.#words.timeLeft(duration));
  }

  #showActions({ total, groups, busy, paused, pausable }: Summary): void {
    const { pauseAll, cancelAll, hideFinished } = this.#elements;
    const { actions } = this.#words;
    pauseAll.hidden = pausable === 0 && paused === 0;
    setText(pauseAll, pausable > 0 ? actions.pauseAll : actions.resumeAll);
    cancelAll.hidden = busy + paused === 0;
    hideFinished.hidden = groups.working === total;
  }
}

/** Returns the title of the document, which is visible while the page is in the background. */
export function titleOf({ busy, groups, percent }: Summary, { title, locale }: Words): string {
  if (busy > 0) return title.busy(formatPercent(percent, locale));
  return groups.done > 0 ? title.over(groups.done) : title.idle;
}
