import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ByteText } from '../row-source.ts';
import type { WorkbookArchive } from './archive.ts';
import { MAX_TEXT_CHARACTERS } from './read-xml.ts';
import { readWhole } from './workbook.ts';

/** The maximum number of strings and of their bytes. Each string takes a few dozen bytes of memory besides its text. */
const MOST = { strings: 2_000_000, bytes: 64 * 1024 * 1024 };

/** Reads the texts that cells refer to by number. Throws `table_too_large` if they do not fit into memory. */
export async function readSharedStrings(
  archive: Pick<WorkbookArchive, 'read'>,
  part: string,
  signal: AbortSignal,
  most = MOST,
): Promise<ByteText[]> {
  const strings: ByteText[] = [];
  let bytes = 0;
  const text = new StringText((whole) => {
    // A copy, because a slice of the parser's text would keep the whole text in memory.
    const copy = Buffer.from(whole).toString('latin1');
    bytes += copy.length;
    if (strings.push(copy) <= most.strings && bytes <= most.bytes) return;
    const detail =
      `The workbook has more than ${most.strings} different texts, or more than ${most.bytes} bytes of text. ` +
      'Upload fewer rows per file, or save it as CSV.';
    throw new UnprocessableError('table_too_large', detail);
  });
  await readWhole(archive, part, signal, {
    open: (name) => text.open(name, 'si'),
    text: (piece) => text.add(piece),
    close: (name) => text.close(name, 'si'),
  });
  return strings;
}

/** Collects the text of an element, which may consist of several runs with their own fonts. Skips phonetic hints. */
export class StringText {
  readonly #onWhole: (text: string) => void;
  #text = '';
  #isInside = false;
  #isText = false;
  #isPhonetic = false;

  constructor(onWhole: (text: string) => void) {
    this.#onWhole = onWhole;
  }

  /** @param element the element whose text is collected */
  open(name: string, element: string): void {
    if (name === element) {
      this.#isInside = true;
      this.#text = '';
    } else if (name === 't') this.#isText = this.#isInside && !this.#isPhonetic;
    else if (name === 'rPh') this.#isPhonetic = true;
  }

  add(piece: string): void {
    if (this.#isText) this.#text += piece;
    if (this.#text.length > MAX_TEXT_CHARACTERS)
      throw new UnprocessableError(
        'table_damaged',
        'The workbook is damaged: a text has no end. Save it again and upload it.',
      );
  }

  close(name: string, element: string): void {
    if (name === 't') this.#isText = false;
    else if (name === 'rPh') this.#isPhonetic = false;
    else if (name === element && this.#isInside) {
      this.#isInside = false;
      this.#onWhole(decodeEscapes(this.#text));
    }
  }
}

const ESCAPE = /_x([0-9A-Fa-f]{4})_/g;

/** Decodes characters that XML cannot hold. Workbooks write them as `_x000D_` (ECMA-376 part 1, section 22.9.2.19). */
export function decodeEscapes(text: string): string {
  return text.includes('_x')
    ? text.replace(ESCAPE, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}
