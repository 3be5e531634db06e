import { hasBlanksBehind, separatorLine, sniffDelimitedText } from '../../../src/kinds/delimited-text.ts';
import { decodeHead, sniffEncoding, type EncodedText } from '../../../src/kinds/text-encoding.ts';
import { SAMPLE_BYTES } from '../../../src/kinds/kind.ts';
import type { TableWarning } from '../../../src/wire/documents.ts';
import type { TableOptions } from '../../../src/kinds/table-options.ts';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { TableLimits } from '../../../src/settings/config.ts';
import type { RowSink, RowSource } from '../row-source.ts';
import { readUtf8 } from './read-utf8.ts';
import { RecordReader } from './record-reader.ts';
import { scanText, type ScannedText } from './scan-text.ts';

interface TextSettings {
  path: string;
  options: Pick<TableOptions, 'delimiter' | 'encoding'>;
  limits: Pick<TableLimits, 'maxLineBytes'>;
}

/** Opens the rows of a delimited text. Throws `table_damaged` or `table_line_too_long`. */
export async function openText(settings: TextSettings, signal: AbortSignal): Promise<RowSource> {
  const text = await scanText(settings.path, settings.options.encoding, signal);
  const head = decodeHead(text.head.subarray(0, SAMPLE_BYTES), sniffEncoding(text.head) ?? UNKNOWN);
  const said = separatorLine(head);
  const delimiter = settings.options.delimiter ?? delimiterOf(text);
  const bytesOfSaid = (said?.characters ?? 0) * (text.encoding.startsWith('utf-16') ? 2 : 1);
  const dropsBlanks = hasBlanksBehind(head, delimiter);
  const start: TextStart = { bytes: text.bomBytes + bytesOfSaid, line: said === undefined ? 1 : 2, dropsBlanks };
  return {
    facts: {
      format: delimiter === '\t' ? 'tsv' : 'csv',
      encoding: text.encoding,
      encodingCertainty: text.encodingCertainty,
      delimiter,
      sheet: null,
    },
    warnings: () => warningsOf(text),
    whenEmpty: 'The table has no rows. Add rows and upload it again.',
    isSparse: false,
    read: (sink, readSignal) => readRows(settings, text, start, delimiter, sink, readSignal),
  };
}

function warningsOf({ encoding, encodingCertainty }: ScannedText): TableWarning[] {
  if (encodingCertainty === 1) return [];
  const message =
    `The text is not UTF-8 and was read as ${encoding}, which is a guess. ` +
    'If characters look wrong, upload it again with the option encoding.';
  return [{ code: 'encoding_guessed', message }];
}

/** The start of the rows, after a byte order mark and a line that names the delimiter, and how cells begin. */
interface TextStart {
  bytes: number;
  line: number;
  dropsBlanks: boolean;
}

const UNKNOWN: EncodedText = { encoding: 'windows-1252', bomBytes: 0 };

/** Detects the delimiter from the same first bytes as the intake. */
function delimiterOf({ head, sizeBytes }: ScannedText): string {
  const found = sniffDelimitedText({ head: head.subarray(0, SAMPLE_BYTES), isWhole: sizeBytes < SAMPLE_BYTES });
  if (found !== undefined) return found.delimiter;
  throw new UnprocessableError(
    'table_damaged',
    'The character that separates the cells was not recognized. Set the option delimiter.',
  );
}

async function* readRows(
  { path, limits }: TextSettings,
  text: ScannedText,
  start: TextStart,
  delimiter: string,
  sink: RowSink,
  signal: AbortSignal,
): AsyncGenerator<number, void, undefined> {
  const reader = new RecordReader(
    {
      delimiter,
      hasReturns: text.hasReturns,
      maxLineBytes: limits.maxLineBytes,
      firstLine: start.line,
      dropsBlanks: start.dropsBlanks,
    },
    sink,
  );
  for await (const { bytes, fraction } of readUtf8(path, text, start.bytes, signal)) {
    for (const _full of reader.feed(bytes)) yield fraction;
    yield fraction;
  }
  for (const _full of reader.finish()) yield 1;
  yield 1;
}
