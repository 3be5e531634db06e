import { setAttribute, setText } from './dom.ts';
import { formatDuration, formatPercent } from './format.ts';
import { isBusy, isDelivered, isStopped, type LineModel } from './line-model.ts';
import { RemainingTime } from './remaining-time.ts';
import type { Words } from './words.ts';

/** The numbers above the list. */
export interface Summary {
  total: number;
  done: number;
  /** Failed uploads, without cancelled ones. */
  failed: number;
  /** Unfinished uploads that are not paused. */
  busy: number;
  /** Unfinished uploads that can be paused. */
  pausable: number;
  paused: number;
  /** Mean of all lines. A finished, failed or cancelled upload counts as 100. */
  percent: number;
}

/** Computes the numbers above the list. */
export function summarise(models: readonly LineModel[]): Summary {
  const busy = models.filter(isBusy);
  const sum = busy.reduce(
    (total, model) => total + (model.progress?.percent ?? 0),
    100 * (models.length - busy.length),
  );
  const paused = busy.filter((model) => model.phase === 'paused').length;
  return {
    total: models.length,
    done: models.filter((model) => model.upload !== null).length,
    failed: models.filter(
      (model) => !isStopped(model) && model.problem !== null && model.problem.code !== 'upload_cancelled',
    ).length,
    busy: busy.length - paused,
    pausable: busy.filter((model) => model.file !== null && !isDelivered(model)).length - paused,
    paused,
    percent: models.length === 0 ? 0 : sum / models.length,
  };
}

/** The elements that show the numbers. */
export interface SummaryElements {
  section: HTMLElement;
  text: Element;
  timeLeft: Element;
  bar: HTMLProgressElement;
  pauseAll: HTMLButtonElement;
  cancelAll: HTMLButtonElement;
  clearFinished: HTMLButtonElement;
}

/** Shows the numbers above the list and in the title of the document. */
export class SummaryView {
  readonly #elements: SummaryElements;
  readonly #words: Words;
  readonly #remaining = new RemainingTime();

  constructor(elements: SummaryElements, words: Words) {
    this.#elements = elements;
    this.#words = words;
  }

  show(summary: Summary): void {
    const { section, text, bar } = this.#elements;
    section.hidden = summary.total === 0;
    setAttribute(document.body, 'data-filled', summary.total === 0 ? null : '');
    setText(text, this.#words.summary(summary.done, summary.total, summary.failed));
    bar.value = summary.percent;
    setAttribute(bar, 'data-over', summary.busy + summary.paused === 0 ? '' : null);
    this.#showTimeLeft(summary);
    this.#showActions(summary);
    const title = titleOf(summary, this.#words);
    if (document.title !== title) document.title = title;
  }

  #showTimeLeft({ total, percent, busy, paused }: Summary): void {
    const leftMs = this.#remaining.estimate({ total, percent, isBusy: busy > 0 && paused === 0 }, performance.now());
    // A single line shows its own remaining time.
    const duration = leftMs === null || total === 1 ? null : formatDuration(leftMs, this.#words.locale);
    setText(this.#elements.timeLeft, duration === null ? '' : this.#words.timeLeft(duration));
  }

  #showActions({ total, busy, paused, pausable }: Summary): void {
    const { pauseAll, cancelAll, clearFinished } = this.#elements;
    const { actions } = this.#words;
    pauseAll.hidden = pausable === 0 && paused === 0;
    setText(pauseAll, pausable > 0 ? actions.pauseAll : actions.resumeAll);
    cancelAll.hidden = busy + paused === 0;
    clearFinished.hidden = busy + paused === total;
  }
}

/** The title of the document, which is visible while the page is in the background. */
export function titleOf({ busy, done, percent }: Summary, { title, locale }: Words): string {
  if (busy > 0) return title.busy(formatPercent(percent, locale));
  return done > 0 ? title.over(done) : title.idle;
}
