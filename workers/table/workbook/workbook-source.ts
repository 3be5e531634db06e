import type { TableWarning } from '../../../src/wire/documents.ts';
import type { TableLimits } from '../../../src/settings/config.ts';
import type { TableOptions } from '../../../src/kinds/table-options.ts';
import type { RowSink, RowSource } from '../row-source.ts';
import { WorkbookArchive } from './archive.ts';
import { readXml } from './read-xml.ts';
import { readSharedStrings } from './shared-strings.ts';
import { SheetReader, type CellContext } from './sheet-reader.ts';
import { readTimeFormats } from './styles.ts';
import { chooseSheets, listOf, quoted, readWorkbook, type Sheet, type Workbook } from './workbook.ts';

/** Maximum number of empty sheets that are tried before the first one with cells. */
const MAX_SHEETS_SEARCHED = 50;

interface WorkbookSettings {
  path: string;
  options: Pick<TableOptions, 'sheet'>;
  limits: Pick<TableLimits, 'maxUnpackedBytes' | 'maxLineBytes'>;
}

/**
 * Opens the rows of one sheet: the one of the option `sheet`, or else the first visible sheet with cells. Throws
 * `UnprocessableError` for an invalid workbook or a missing sheet.
 */
export async function openWorkbook(
  { path, options, limits }: WorkbookSettings,
  signal: AbortSignal,
): Promise<RowSource> {
  const archive = await WorkbookArchive.open(path, limits);
  try {
    const workbook = await readWorkbook(archive, signal);
    const { sharedStrings, styles, isFrom1904 } = workbook;
    const sheets = chooseSheets(workbook, options.sheet);
    const context: CellContext = {
      sharedStrings: sharedStrings === undefined ? [] : await readSharedStrings(archive, sharedStrings, signal),
      timeFormats: styles === undefined ? [] : await readTimeFormats(archive, styles, signal),
      isFrom1904,
      maxLineBytes: limits.maxLineBytes,
    };
    const found: Found = { emptyFormulas: 0 };
    const read = (sheet: Sheet, sink: RowSink, readSignal: AbortSignal) =>
      readSheet({ path, limits, part: sheet.part, context, found }, sink, readSignal);
    const sheet = await firstWithCells(sheets, async (one) => await hasRows(read, one, signal));
    return {
      facts: { format: 'xlsx', encoding: null, encodingCertainty: null, delimiter: null, sheet: sheet.name },
      isSparse: true,
      warnings: () => [...otherSheets(workbook, sheet), ...formulasWithoutValue(found)],
      whenEmpty:
        `${sheets.length === 1 ? `The sheet ${quoted(sheet)} has` : 'The visible sheets have'} no rows. ` +
        (workbook.sheets.length === 1
          ? 'Add rows and upload it again.'
          : `${listOf(workbook)} Choose another sheet with the option sheet.`),
      read: (sink, readSignal) => read(sheet, sink, readSignal),
    };
  } finally {
    archive.close();
  }
}

/** Returns the first sheet with cells, or the first sheet if none has cells. */
async function firstWithCells(
  sheets: readonly [Sheet, ...Sheet[]],
  hasCells: (sheet: Sheet) => Promise<boolean>,
): Promise<Sheet> {
  if (sheets.length === 1) return sheets[0];
  for (const sheet of sheets.slice(0, MAX_SHEETS_SEARCHED)) if (await hasCells(sheet)) return sheet;
  return sheets[0];
}

async function hasRows(
  read: (sheet: Sheet, sink: RowSink, signal: AbortSignal) => AsyncIterable<number>,
  sheet: Sheet,
  signal: AbortSignal,
): Promise<boolean> {
  let rows = 0;
  const sink: RowSink = { row: () => void (rows += 1), error: () => undefined };
  for await (const _fraction of read(sheet, sink, signal)) if (rows > 0) break;
  return rows > 0;
}

/** Warns that only one of several sheets was read. */
function otherSheets(workbook: Workbook, sheet: Sheet): TableWarning[] {
  const others = workbook.sheets.length - 1;
  if (others === 0) return [];
  const message =
    `Only the sheet ${quoted(sheet)} was read. ${listOf(workbook)} ` +
    'To read another one, upload the file again with the option sheet.';
  return [{ code: 'other_sheets', message }];
}

function formulasWithoutValue({ emptyFormulas }: Found): TableWarning[] {
  if (emptyFormulas === 0) return [];
  const message =
    `Cells with formulas but without values: ${emptyFormulas}. They are empty in the result. ` +
    'Open the workbook in a spreadsheet program, save it and upload it again.';
  return [{ code: 'formulas_without_value', message }];
}

/** The findings of the last read of a sheet. */
interface Found {
  emptyFormulas: number;
}

interface SheetToRead {
  readonly path: string;
  readonly limits: Pick<TableLimits, 'maxUnpackedBytes'>;
  readonly part: string;
  readonly context: CellContext;
  readonly found: Found;
}

async function* readSheet(
  { path, limits, part, context, found }: SheetToRead,
  sink: RowSink,
  signal: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  const archive = await WorkbookArchive.open(path, limits);
  const reader = new SheetReader(context, sink);
  try {
    yield* readXml(archive.read(part, signal), reader);
  } finally {
    found.emptyFormulas = reader.emptyFormulas;
    archive.close();
  }
}
