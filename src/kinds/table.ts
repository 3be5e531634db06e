import { faultOf } from '../wire/schema-faults.ts';
import { sniffDelimitedText } from './delimited-text.ts';
import type { Kind, Sample } from './kind.ts';
import { tableOptionsSchema, type TableOptions } from './table-options.ts';
import { sniffEncoding } from './text-encoding.ts';
import { workbookOf } from './workbook-head.ts';

/** Media type of tab-separated text. All other delimited text is `CSV_TYPE`. */
const TSV_TYPE = 'text/tab-separated-values';
/** Media type of text with any other delimiter than the tab (RFC 7111). */
export const CSV_TYPE = 'text/csv';
/** Media type of an Office Open XML workbook (ECMA-376). */
export const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Media type of a workbook with binary parts. */
const XLSB_TYPE = 'application/vnd.ms-excel.sheet.binary.macroenabled.12';

/** Media type of a web page, which is never accepted. */
export const HTML_TYPE = 'text/html';
/** Media type of text that is not a table, which is never accepted. */
export const TEXT_TYPE = 'text/plain';

/** The type of bytes that nothing recognizes, for advice. */
export const UNKNOWN_TYPE = 'application/octet-stream';

/** Name of the file with all rows, one JSON object per line. */
export const JSON_LINES_NAME = 'rows.jsonl';

/** Name of the same rows as CSV. API processes make this file on request. */
export const CSV_NAME = 'rows.csv';
/** Name of the same rows as a workbook, which is also made on request. */
export const XLSX_NAME = 'rows.xlsx';

const UNPACK = 'Unpack it and send the file in it.';

const TO_XLSX = 'If this is a table, open it in a spreadsheet program and save it as XLSX or CSV.';

/** Delimited text and workbooks. Spreadsheets in other formats are recognised and rejected with advice. */
export const table: Kind<TableOptions> = {
  name: 'table',
  types: [CSV_TYPE, TSV_TYPE, XLSX_TYPE],
  sniff: sniffTable,
  advice: {
    'application/x-cfb':
      'If this is a workbook, it is encrypted or of an old format: save it as XLSX or CSV, without a password.',
    'application/vnd.oasis.opendocument.spreadsheet': 'Save the spreadsheet as XLSX or CSV.',
    [XLSB_TYPE]: 'Open the workbook and save it as XLSX or CSV.',
    [HTML_TYPE]: TO_XLSX,
    'application/xml': TO_XLSX,
    [TEXT_TYPE]: 'If it is a table, set the option delimiter, such as {"delimiter": ","}. Then every text is accepted.',
    'application/zip': `If this is a workbook, open it and save it as XLSX or CSV. Otherwise: ${UNPACK}`,
    'application/gzip': UNPACK,
    'application/x-7z-compressed': UNPACK,
    'application/x-rar-compressed': UNPACK,
    [UNKNOWN_TYPE]: 'If it is a table, save it as XLSX or as CSV in UTF-8. If it is a picture, save it as JPEG or PNG.',
  },
  options: { safeParse: (options) => tableOptionsSchema.safeParse(options, { error: faultOf }) },
  variantNames: () => [JSON_LINES_NAME],
  mayHave: (name) => [JSON_LINES_NAME, CSV_NAME, XLSX_NAME].includes(name),
};

function sniffTable(sample: Sample): string | undefined {
  const workbook = workbookOf(sample.head);
  if (workbook !== undefined) return workbook === 'xml' ? XLSX_TYPE : XLSB_TYPE;
  const delimiter = givenDelimiter(sample.options) ?? sniffDelimitedText(sample)?.delimiter;
  if (delimiter === undefined || sniffEncoding(sample.head) === undefined) return undefined;
  return delimiter === '\t' ? TSV_TYPE : CSV_TYPE;
}

/** Returns the delimiter that the sender has set. It declares a table, so every text is accepted. */
function givenDelimiter(options: unknown): string | undefined {
  return tableOptionsSchema.safeParse(options).data?.delimiter;
}
