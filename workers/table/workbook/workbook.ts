import { posix } from 'node:path';
import { UnprocessableError } from '../../unprocessable-error.ts';
import { firstCharacters } from '../row-source.ts';
import type { WorkbookArchive } from './archive.ts';
import { readXml, type XmlListener } from './read-xml.ts';

/** A sheet with cells. */
export interface Sheet {
  name: string;
  /** The name of its part in the archive. */
  part: string;
  isVisible: boolean;
}

/** The structure of a workbook. */
export interface Workbook {
  /** The sheets, in the order of their tabs. */
  sheets: readonly Sheet[];
  /** True if days are counted from 1904, as on old Macintoshes. */
  isFrom1904: boolean;
  /** The part with the shared texts. Undefined if the workbook has none. */
  sharedStrings: string | undefined;
  styles: string | undefined;
}

const ROOT_RELATIONS = '_rels/.rels';
const USUAL_WORKBOOK = 'xl/workbook.xml';

/** The maximum number of sheets. Excel limits it only by memory, but no real workbook has so many. */
const MOST_SHEETS = 1000;
const MOST_RELATIONS = 10_000;
/**
 * The maximum length of a name or target. Real workbooks have shorter ones: sheet names of Excel have at most 31
 * characters.
 */
const MOST_CHARACTERS = 1024;

const SHOWN_SHEETS = 10;
const SHOWN_NAME_CHARACTERS = 31;

/**
 * Reads the parts that name the other parts (ECMA-376 part 1, section 18.2). Throws `table_too_large` if there are more
 * than 1000 sheets or 10,000 relationships.
 */
export async function readWorkbook(archive: WorkbookArchive, signal: AbortSignal): Promise<Workbook> {
  const root = archive.has(ROOT_RELATIONS) ? await readRelations(archive, ROOT_RELATIONS, '', signal) : [];
  const part = root.find(({ type }) => type === 'officeDocument')?.target ?? USUAL_WORKBOOK;
  const folder = posix.dirname(part);
  const relations = await readRelations(
    archive,
    posix.join(folder, '_rels', `${posix.basename(part)}.rels`),
    folder,
    signal,
  );
  const targets = new Map(relations.map((relation) => [relation.id, relation]));
  // Some programs refer to parts that they have not written.
  const targetOf = (type: string) =>
    relations.find((relation) => relation.type === type && archive.has(relation.target))?.target;
  const { sheets, isFrom1904 } = await readSheets(archive, part, signal);
  return {
    sheets: sheets.flatMap(({ name, id, isVisible }) => {
      const relation = targets.get(id);
      return relation?.type === 'worksheet' ? [{ name, part: relation.target, isVisible }] : [];
    }),
    isFrom1904,
    sharedStrings: targetOf('sharedStrings'),
    styles: targetOf('styles'),
  };
}

/**
 * Returns the sheet with this name or number. Without either it returns all visible sheets, or all sheets if none is
 * visible. Throws `bad_options` with the existing names, and `table_damaged` if there is no sheet.
 */
export function chooseSheets(workbook: Workbook, wanted: string | number | undefined): [Sheet, ...Sheet[]] {
  const { sheets } = workbook;
  const [first, ...others] = sheets;
  if (first === undefined)
    throw new UnprocessableError(
      'table_damaged',
      'The workbook has no sheet with cells. Save the table as a worksheet or as CSV.',
    );
  if (wanted !== undefined) {
    const found = sheetOf(sheets, wanted);
    if (found !== undefined) return [found];
    const detail =
      `The workbook has no sheet ${JSON.stringify(wanted)}. ${listOf(workbook)} ` +
      'Set the option sheet to one of them.';
    throw new UnprocessableError('bad_options', detail);
  }
  const [visible, ...more] = sheets.filter(({ isVisible }) => isVisible);
  return visible === undefined ? [first, ...others] : [visible, ...more];
}

/** Returns a sentence with the names of the first sheets. */
export function listOf({ sheets }: Workbook): string {
  const names = sheets.slice(0, SHOWN_SHEETS).map(quoted).join(', ');
  return sheets.length === 1 ? `It has one sheet: ${names}.` : `It has ${sheets.length} sheets: ${names}.`;
}

/** Returns the name of a sheet for a sentence. */
export function quoted({ name }: Sheet): string {
  return JSON.stringify(firstCharacters(name, SHOWN_NAME_CHARACTERS));
}

/** Finds a sheet by its name, ignoring case, or by its number. */
function sheetOf(sheets: readonly Sheet[], wanted: string | number): Sheet | undefined {
  if (typeof wanted === 'number') return sheets[wanted - 1];
  return (
    sheets.find(({ name }) => name === wanted) ?? sheets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  );
}

interface Relation {
  id: string;
  /** The last segment of its type URI. */
  type: string;
  target: string;
}

async function readRelations(
  archive: WorkbookArchive,
  part: string,
  folder: string,
  signal: AbortSignal,
): Promise<Relation[]> {
  const relations: Relation[] = [];
  await readWhole(archive, part, signal, {
    open(name, { Id = '', Type = '', Target = '' }) {
      if (name !== 'Relationship') return;
      if (relations.length >= MOST_RELATIONS) throw tooMany('relations', MOST_RELATIONS);
      const path = unescapedPath(kept(Target));
      const target = path.startsWith('/') ? path.slice(1) : posix.join(folder, path);
      relations.push({ id: kept(Id), type: kept(Type.slice(Type.lastIndexOf('/') + 1)), target: kept(target) });
    },
  });
  return relations;
}

interface ListedSheet {
  name: string;
  /** The id of its relationship. */
  id: string;
  isVisible: boolean;
}

async function readSheets(
  archive: WorkbookArchive,
  part: string,
  signal: AbortSignal,
): Promise<{ sheets: ListedSheet[]; isFrom1904: boolean }> {
  const sheets: ListedSheet[] = [];
  let isFrom1904 = false;
  await readWhole(archive, part, signal, {
    open(name, attributes) {
      if (name === 'workbookPr') isFrom1904 = isTrue(attributes['date1904']);
      if (name !== 'sheet') return;
      if (sheets.length >= MOST_SHEETS) throw tooMany('sheets', MOST_SHEETS);
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1] ?? '';
      const isVisible = (attributes['state'] ?? 'visible') === 'visible';
      sheets.push({ name: kept(attributes['name'] ?? ''), id: kept(id), isVisible });
    },
  });
  return { sheets, isFrom1904 };
}

/** Decodes a target. Targets are percent-encoded (`my%20sheet.xml`), names of parts are not. */
function unescapedPath(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

/** Returns a copy, because a slice of the parser's text would keep the whole text in memory. */
function kept(text: string): string {
  return Buffer.from(firstCharacters(text, MOST_CHARACTERS)).toString();
}

/** Makes the error for a workbook that has more of something than any real workbook. */
export function tooMany(things: string, most: number): UnprocessableError {
  const detail = `The workbook has more than ${most} ${things}. Copy the rows to a new workbook, or save them as CSV.`;
  return new UnprocessableError('table_too_large', detail);
}

/** Reads an `xsd:boolean`. */
function isTrue(word: string | undefined): boolean {
  return word === '1' || word === 'true';
}

/** Reads a whole part. Use it for small parts, and for parts whose content is needed at once. */
export async function readWhole(
  archive: Pick<WorkbookArchive, 'read'>,
  part: string,
  signal: AbortSignal,
  listener: XmlListener,
): Promise<void> {
  for await (const _fraction of readXml(archive.read(part, signal), listener));
}
