import type { PictureResult, TableResult, Upload } from '../wire/documents.ts';
import { make } from './dom.ts';
import { numberFormat } from './formatters.ts';
import type { Words } from './words.ts';

const SHOWN_ERRORS = 5;

/** Returns one sentence for each loss and each guess of a result, empty if the whole file was taken as it is. */
export function resultNotes(result: TableResult | PictureResult, words: Words): readonly string[] {
  const { warnings = [] } = result;
  return [
    ...(result.kind === 'table' ? rowNotes(result, words) : []),
    ...warnings.map(({ code, message }) => words.warning(code, message)),
  ];
}

function rowNotes({ rowsSkipped, errors, errorCount }: TableResult, { table, locale }: Words): readonly string[] {
  const count = numberFormat(locale);
  const shown = errors.slice(0, SHOWN_ERRORS);
  const hidden = errorCount - shown.length;
  return [
    ...(rowsSkipped > 0 ? [table.rowsSkipped(count.format(rowsSkipped))] : []),
    ...shown.map(({ line, code, message }) => table.error(line, code, message)),
    ...(hidden > 0 ? [table.moreErrors(count.format(hidden))] : []),
  ];
}

/** Builds the list of the notes; empty if there are none. */
export function noteList(result: TableResult | PictureResult, words: Words): HTMLElement[] {
  const notes = resultNotes(result, words);
  if (notes.length === 0) return [];
  const list = make('ul', 'notes', ...notes.map((note) => make('li', '', note)));
  list.setAttribute('aria-label', words.notes);
  return [list];
}

/** True if the result leaves something out or contains a guess, so "done" must not be all that the page says. */
export function needsNotes({ result }: Upload): boolean {
  if (result?.kind === 'table') return result.rowsSkipped > 0 || result.warnings.length > 0;
  return result?.kind === 'picture' && (result.warnings?.length ?? 0) > 0;
}
