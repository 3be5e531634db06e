import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ByteText } from '../row-source.ts';
import type { WorkbookArchive } from './archive.ts';
import { decodeEscapes } from './escapes.ts';
import { MAX_TEXT_CHARACTERS } from './read-xml.ts';
import { readWhole } from './workbook.ts';

/** In memory they take a few dozen bytes each, besides their text. */
const MOST = { strings: 2_000_000, bytes: 64 * 1024 * 1024 };

/** The texts that cells refer to by their number. Throws `table_too_large` where they do not fit into memory. */
export async function readSharedStrings(
  archive: Pick<WorkbookArchive, 'read'>,
  part: string,
  signal: AbortSignal,
  most = MOST,
): Promise<ByteText[]> {
  const strings: ByteText[] = [];
  let bytes = 0;
  const text = new StringText((whole) => {
    // A copy: a piece of a parser's text keeps all of that in memory.
    const copy = Buffer.from(whole).toString('latin1');
    bytes += copy.length;
    if (strings.push(copy) <= most.strings && bytes <= most.bytes) return;
    const detail = `The workbook has more than ${most.strings} different texts, or more than ${most.bytes} bytes of them. Send fewer rows at once, or CSV.`;
    throw new UnprocessableError('table_too_large', detail);
  });
  await readWhole(archive, part, signal, {
    open: (name) => text.open(name, 'si'),
    text: (piece) => text.add(piece),
    close: (name) => text.close(name, 'si'),
  });
  return strings;
}

/** Gathers the text of an element, in one piece or in several with fonts of their own, without what says how it is pronounced. */
export class StringText {
  readonly #onWhole: (text: string) => void;
  #text = '';
  #isInside = false;
  #isText = false;
  #isPhonetic = false;

  constructor(onWhole: (text: string) => void) {
    this.#onWhole = onWhole;
  }

  /** @param element the one whose text is gathered. */
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
      throw new UnprocessableError('table_damaged', 'The workbook is damaged: a text in it has no end. Save it anew.');
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
