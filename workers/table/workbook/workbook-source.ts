import type { TableLimits } from '../../../src/settings/config.ts';
import type { TableOptions } from '../../../src/kinds/table-options.ts';
import type { RowSink, RowSource } from '../row-source.ts';
import { WorkbookArchive } from './archive.ts';
import { readXml } from './read-xml.ts';
import { readSharedStrings } from './shared-strings.ts';
import { SheetReader, type CellContext } from './sheet-reader.ts';
import { readTimeFormats } from './styles.ts';
import { chooseSheet, readWorkbook } from './workbook.ts';

/** What a workbook is opened with. */
export interface WorkbookSettings {
  path: string;
  options: Pick<TableOptions, 'sheet'>;
  limits: Pick<TableLimits, 'maxUnpackedBytes' | 'maxLineBytes'>;
}

/** The rows of one sheet of a workbook. Throws `UnprocessableError` for what is none, and for a sheet that is not there. */
export async function openWorkbook(
  { path, options, limits }: WorkbookSettings,
  signal: AbortSignal,
): Promise<RowSource> {
  const archive = await WorkbookArchive.open(path, limits);
  try {
    const workbook = await readWorkbook(archive, signal);
    const sheet = chooseSheet(workbook, options.sheet);
    const { sharedStrings, styles, isFrom1904 } = workbook;
    const context: CellContext = {
      sharedStrings: sharedStrings === undefined ? [] : await readSharedStrings(archive, sharedStrings, signal),
      timeFormats: styles === undefined ? [] : await readTimeFormats(archive, styles, signal),
      isFrom1904,
      maxLineBytes: limits.maxLineBytes,
    };
    return {
      facts: { format: 'xlsx', encoding: null, delimiter: null, sheet: sheet.name },
      isSparse: true,
      read: (sink, readSignal) => readSheet(path, limits, sheet.part, context, sink, readSignal),
    };
  } finally {
    archive.close();
  }
}

async function* readSheet(
  path: string,
  limits: Pick<TableLimits, 'maxUnpackedBytes'>,
  part: string,
  context: CellContext,
  sink: RowSink,
  signal: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  const archive = await WorkbookArchive.open(path, limits);
  try {
    yield* readXml(archive.read(part, signal), new SheetReader(context, sink));
  } finally {
    archive.close();
  }
}
