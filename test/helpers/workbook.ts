import { zipFile, type ZipEntry } from './zip-file.ts';

/** The content of a workbook. Everything but the rows has usual defaults. */
export interface WorkbookSpec {
  /** The content of `sheetData` of each sheet, by name. */
  sheets: Readonly<Record<string, string>>;
  hidden?: readonly string[];
  /** The items of `sst`. */
  strings?: readonly string[];
  /** Format codes. Style 1 is the first. */
  formats?: readonly string[];
  isFrom1904?: boolean;
  /** Prefix of the element names, which some programs write. */
  prefix?: string;
  /** Further parts. They replace parts of the same name. */
  more?: readonly ZipEntry[];
  /** Writes the part with the content types last, as some programs other than Excel do. */
  typesLast?: boolean;
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const TYPES =
  '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override ' +
  'PartName="/xl/workbook.xml" ' +
  'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>';

/** Returns an XLSX file. */
export function workbook(spec: WorkbookSpec): Buffer {
  return zipFile(workbookParts(spec));
}

/** Returns the parts of a workbook, so that a test can change them. */
export function workbookParts(spec: WorkbookSpec): ZipEntry[] {
  const names = Object.keys(spec.sheets);
  const types = { name: '[Content_Types].xml', bytes: HEAD + TYPES };
  const parts: ZipEntry[] = [
    { name: '_rels/.rels', bytes: relations([['rId1', 'officeDocument', 'xl/workbook.xml']]) },
    { name: 'xl/workbook.xml', bytes: workbookXml(spec, names) },
    {
      name: 'xl/_rels/workbook.xml.rels',
      bytes: relations([
        ...names.map((_, index) => [`rId${index + 1}`, 'worksheet', `worksheets/sheet${index + 1}.xml`] as const),
        ['rId98', 'styles', 'styles.xml'],
        ['rId99', 'sharedStrings', '/xl/sharedStrings.xml'],
      ]),
    },
    { name: 'xl/styles.xml', bytes: stylesXml(spec.formats ?? []) },
    { name: 'xl/sharedStrings.xml', bytes: `${HEAD}<sst xmlns="${MAIN}">${(spec.strings ?? []).join('')}</sst>` },
    ...names.map((name, index) => ({
      name: `xl/worksheets/sheet${index + 1}.xml`,
      bytes: sheetXml(spec.sheets[name] ?? '', spec.prefix),
    })),
  ];
  const replaced = new Set(spec.more?.map(({ name }) => name));
  const all = [...parts.filter(({ name }) => !replaced.has(name)), ...(spec.more ?? [])];
  return spec.typesLast === true ? [...all, types] : [types, ...all];
}

/** Returns the part of one sheet. `rows` must contain `prefix` already. */
export function sheetXml(rows: string, prefix = ''): string {
  const declared = prefix === '' ? 'xmlns' : `xmlns:${prefix.slice(0, -1)}`;
  return `${HEAD}<${prefix}worksheet ${declared}="${MAIN}"><${prefix}sheetData>${rows}</${prefix}sheetData></${prefix}worksheet>`;
}

function relations(list: readonly (readonly [id: string, type: string, target: string])[]): string {
  const items = list.map(
    ([id, type, target]) => `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
  );
  return `${HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items.join('')}</Relationships>`;
}

function workbookXml({ hidden = [], isFrom1904 = false }: WorkbookSpec, names: readonly string[]): string {
  const sheets = names.map(
    (name, index) =>
      `<sheet name="${name.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" sheetId="${index + 1}"${hidden.includes(name) ? ' state="hidden"' : ''} r:id="rId${index + 1}"/>`,
  );
  const properties = isFrom1904 ? '<workbookPr date1904="1"/>' : '<workbookPr/>';
  return `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}">${properties}<sheets>${sheets.join('')}</sheets></workbook>`;
}

function stylesXml(formats: readonly string[]): string {
  const codes = formats.map(
    (code, index) => `<numFmt numFmtId="${200 + index}" formatCode="${code.replaceAll('"', '&quot;')}"/>`,
  );
  const styles = ['<xf numFmtId="0"/>', ...formats.map((_, index) => `<xf numFmtId="${200 + index}"/>`)];
  return `${HEAD}<styleSheet xmlns="${MAIN}"><numFmts>${codes.join('')}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${styles.join('')}</cellXfs></styleSheet>`;
}

/** Returns a row of cells from column A on, with inline texts. */
export function sheetRow(row: number, cells: readonly (string | number | null)[]): string {
  const filled = cells.map((cell, column) => {
    const place = `${String.fromCharCode(65 + column)}${row}`;
    if (cell === null) return '';
    return typeof cell === 'number'
      ? `<c r="${place}"><v>${cell}</v></c>`
      : `<c r="${place}" t="inlineStr"><is><t>${cell}</t></is></c>`;
  });
  return `<row r="${row}">${filled.join('')}</row>`;
}
