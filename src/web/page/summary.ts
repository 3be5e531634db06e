import { setAttribute, setText } from './dom.ts';
import { formatPercent } from './format.ts';
import { isBusy, type LineModel } from './line-model.ts';
import type { Words } from './words.ts';

/** All lines in figures. */
export interface Summary {
  total: number;
  done: number;
  /** Ended without a result, cancelled ones left out. */
  failed: number;
  busy: number;
  /** Mean over the lines, what has ended counting as a whole. */
  percent: number;
}

/** Counts the lines. */
export function summarise(models: readonly LineModel[]): Summary {
  const busy = models.filter(isBusy);
  const percents = busy.map((model) => model.progress?.percent ?? 0);
  const sum = percents.reduce((total, percent) => total + percent, 100 * (models.length - busy.length));
  return {
    total: models.length,
    done: models.filter((model) => model.upload !== null).length,
    failed: models.filter((model) => model.problem !== null && model.problem.code !== 'upload_cancelled').length,
    busy: busy.length,
    percent: models.length === 0 ? 0 : sum / models.length,
  };
}

/** The elements that show the figures. */
export interface SummaryElements {
  section: HTMLElement;
  text: Element;
  bar: HTMLProgressElement;
  cancelAll: HTMLButtonElement;
  clearFinished: HTMLButtonElement;
}

/** Shows the figures above the list and in the document's title. */
export function showSummary(summary: Summary, { section, text, bar, cancelAll, clearFinished }: SummaryElements, words: Words): void {
  section.hidden = summary.total === 0;
  setAttribute(document.body, 'data-filled', summary.total === 0 ? null : '');
  setText(text, words.summary(summary.done, summary.total, summary.failed));
  bar.value = summary.percent;
  setAttribute(bar, 'data-over', summary.busy === 0 ? '' : null);
  cancelAll.hidden = summary.busy === 0;
  clearFinished.hidden = summary.busy === summary.total;
  const title = titleOf(summary, words);
  if (document.title !== title) document.title = title;
}

/** The document's title, which is all that is seen of a page in the background. */
export function titleOf({ busy, done, percent }: Summary, { title, locale }: Words): string {
  if (busy > 0) return title.busy(formatPercent(percent, locale));
  return done > 0 ? title.over(done) : title.idle;
}
