import type { TableResult } from '../wire/documents.ts';
import { numberFormat } from './formatters.ts';
import type { Words } from './words.ts';

const SHOWN_ERRORS = 5;

/** Returns one sentence for each loss and each guess of a table, empty if all rows were taken as they are. */
export function tableNotes(
  { rowsSkipped, errors, errorCount, warnings }: TableResult,
  { table, locale }: Words,
): readonly string[] {
  const count = numberFormat(locale);
  const shown = errors.slice(0, SHOWN_ERRORS);
  const hidden = errorCount - shown.length;
  return [
    ...(rowsSkipped > 0 ? [table.rowsSkipped(count.format(rowsSkipped))] : []),
    ...shown.map(({ line, code, message }) => table.error(line, code, message)),
    ...(hidden > 0 ? [table.moreErrors(count.format(hidden))] : []),
    ...warnings.map(({ code, message }) => table.warning(code, message)),
  ];
}

/** True if the result leaves something out or contains a guess, so "done" must not be all that the page says. */
export function hasNotes({ rowsSkipped, warnings }: TableResult): boolean {
  return rowsSkipped > 0 || warnings.length > 0;
}
