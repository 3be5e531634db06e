import { UnprocessableError } from '../unprocessable-error.ts';
import { CELL, cellTypeOf, columnTypeOf } from './cell-type.ts';
import type { ByteText } from './row-source.ts';

/** How the cells of a column are written. All cells of a column are written the same way. */
const FORM = { undecided: 0, number: 1, boolean: 2, text: 3 } as const;

const BUFFER_BYTES = 1024 * 1024;
/** Rows are collected up to this size. A few bytes of a table may become a hundred times as many in the output. */
const FULL_BYTES = 8 * BUFFER_BYTES;
const WORD_BYTES = 4;
/** A control character is written as six bytes. */
const MAX_BYTES_OF_CHARACTER = 6;
/** The most bytes of a cell besides its characters: two quotes and a comma, or `false` and a comma. */
const MOST_AROUND_CELL = 8;

const [QUOTE, BACKSLASH, SPACE, BRACE_OPEN, BRACE_CLOSE, COMMA, COLON, LINE_FEED] = [34, 92, 32, 123, 125, 44, 58, 10];
const LETTER_T_UPPER = 84;
const LETTER_T_LOWER = 116;

/** `,"name":` as bytes, and as 32-bit words for writing four bytes at a time. */
interface Key {
  length: number;
  words: Int32Array;
}

/**
 * Writes rows as JSON Lines (one object per line, cells by column name) and learns the types of the columns from all
 * rows. The first cells of a column decide how the whole column is written. If a later cell does not fit, the output is
 * invalid: from then on the encoder only learns, and the rows must be read a second time.
 */
export class RowEncoder {
  readonly #keys: readonly Key[];
  readonly #keyBytes: number;
  readonly #forms: Uint16Array;
  readonly #maxBytes: number;
  /** All `CELL` types that the cells of each column have, in one number per column. */
  readonly types: Uint16Array;
  readonly nullCounts: Float64Array;
  #isBroken = false;
  #full: Buffer[] = [];
  #fullBytes = 0;
  #takenBytes = 0;
  #buffer: Buffer;
  #view: DataView;
  #at = 0;

  /** @param types the sums of cell types that are known before the first row */
  constructor(names: readonly string[], types: Uint16Array, maxBytes: number) {
    this.#keys = names.map(keyOf);
    this.#keyBytes = this.#keys.reduce((sum, { length }) => sum + length, 0);
    this.types = Uint16Array.from(types);
    this.#forms = types.map(formOf);
    this.nullCounts = new Float64Array(names.length);
    this.#maxBytes = maxBytes;
    this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.#view = viewOf(this.#buffer);
  }

  /** True if the output is invalid and must not be used. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Marks the output as invalid. From now on the encoder only learns. */
  giveUp(): void {
    this.#isBroken = true;
  }

  /** True if the caller should call `take` before it adds the next row. */
  get isFull(): boolean {
    return this.#fullBytes >= FULL_BYTES;
  }

  /** Adds a row. It has at most as many cells as there are columns; missing cells are empty. */
  row(cells: readonly ByteText[], types?: readonly number[]): void {
    if (this.#isBroken) this.#learn(cells, types);
    else this.#write(cells, types);
  }

  /** Returns the output since the last call. Throws `table_too_large` if the whole output exceeds the limit. */
  take(): Buffer[] {
    const taken = this.#full;
    this.#full = [];
    this.#takenBytes += this.#fullBytes;
    this.#fullBytes = 0;
    if (this.#isBroken) return [];
    if (this.#takenBytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    return taken;
  }

  /** Like `take`, for the end of the table. */
  takeLast(): Buffer[] {
    this.#pushFull();
    this.#at = 0;
    return this.take();
  }

  #learn(cells: readonly ByteText[], types: readonly number[] | undefined): void {
    for (let column = 0; column < this.#keys.length; column += 1)
      this.#note(column, types?.[column] ?? cellTypeOf(cells[column] ?? ''));
  }

  #note(column: number, type: number): void {
    this.types[column] = (this.types[column] ?? 0) | type;
    if (type === CELL.empty) this.nullCounts[column] = (this.nullCounts[column] ?? 0) + 1;
  }

  #write(cells: readonly ByteText[], types: readonly number[] | undefined): void {
    this.#ensureCapacity(cells);
    const start = this.#at;
    for (let column = 0; column < this.#keys.length; column += 1) {
      const text = cells[column] ?? '';
      this.#writeKey(column);
      if (text.length === 0) {
        this.nullCounts[column] = (this.nullCounts[column] ?? 0) + 1;
        this.#writeRaw('null');
      } else if (this.#forms[column] === FORM.text) {
        this.#learnText(column, text, types);
        this.#writeText(text);
      } else this.#writeCell(column, text, types?.[column] ?? cellTypeOf(text));
    }
    // The brace replaces the comma before the first key.
    this.#buffer[start] = BRACE_OPEN;
    this.#buffer[this.#at] = BRACE_CLOSE;
    this.#buffer[this.#at + 1] = LINE_FEED;
    this.#at += 2;
  }

  /** Learns the type of a text. Returns early if the column has already shown every kind of text. */
  #learnText(column: number, text: ByteText, types: readonly number[] | undefined): void {
    const known = this.types[column] ?? 0;
    if ((known & CELL.string) !== 0) return;
    const sum = known | (types?.[column] ?? cellTypeOf(text));
    this.types[column] = columnTypeOf(sum) === 'string' ? sum | CELL.string : sum;
  }

  #writeCell(column: number, text: ByteText, type: number): void {
    const form = formOf(type);
    if (this.#forms[column] === FORM.undecided) this.#forms[column] = form;
    this.types[column] = (this.types[column] ?? 0) | type;
    if (this.#forms[column] !== form) this.#isBroken = true;
    else if (form === FORM.number) this.#writeRaw(text);
    else if (form === FORM.text) this.#writeText(text);
    else this.#writeRaw(isTrue(text) ? 'true' : 'false');
  }

  #writeKey(column: number): void {
    const key = this.#keys[column];
    if (key === undefined) return;
    const { words } = key;
    for (let word = 0; word < words.length; word += 1)
      this.#view.setInt32(this.#at + word * WORD_BYTES, words[word] ?? 0);
    this.#at += key.length;
  }

  #writeRaw(text: ByteText): void {
    const buffer = this.#buffer;
    let at = this.#at;
    for (let index = 0; index < text.length; index += 1) buffer[at++] = text.charCodeAt(index);
    this.#at = at;
  }

  #writeText(text: ByteText): void {
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at++] = QUOTE;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code === QUOTE || code === BACKSLASH) {
        const escaped = JSON.stringify(text[index]);
        for (let inner = 1; inner < escaped.length - 1; inner += 1) buffer[at++] = escaped.charCodeAt(inner);
      } else buffer[at++] = code;
    }
    buffer[at++] = QUOTE;
    this.#at = at;
  }

  #ensureCapacity(cells: readonly ByteText[]): void {
    let characters = 0;
    for (let column = 0; column < cells.length; column += 1) characters += (cells[column] ?? '').length;
    const needed =
      this.#keyBytes + characters * MAX_BYTES_OF_CHARACTER + this.#keys.length * MOST_AROUND_CELL + 2 * WORD_BYTES;
    if (this.#at + needed <= this.#buffer.length) return;
    if (this.#at > 0) this.#pushFull();
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, needed));
    this.#view = viewOf(this.#buffer);
    this.#at = 0;
  }

  #pushFull(): void {
    this.#full.push(this.#buffer.subarray(0, this.#at));
    this.#fullBytes += this.#at;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function keyOf(name: string): Key {
  const bytes = Buffer.concat([Buffer.from([COMMA]), Buffer.from(JSON.stringify(name)), Buffer.from([COLON])]);
  const padded = Buffer.alloc(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES);
  bytes.copy(padded);
  const words = Int32Array.from({ length: padded.length / WORD_BYTES }, (_, word) =>
    padded.readInt32BE(word * WORD_BYTES),
  );
  return { length: bytes.length, words };
}

/** Returns how cells of these types are written. A mix of types is written as text. */
function formOf(types: number): number {
  const filled = types & ~CELL.empty;
  if (filled === 0) return FORM.undecided;
  if ((filled & ~(CELL.integer | CELL.number)) === 0) return FORM.number;
  return filled === CELL.boolean ? FORM.boolean : FORM.text;
}

function isTrue(text: ByteText): boolean {
  const first = text.charCodeAt(0);
  return first === LETTER_T_LOWER || first === LETTER_T_UPPER;
}

function tooLarge(maxBytes: number): UnprocessableError {
  const detail =
    `The rows take more than ${maxBytes} bytes as JSON Lines, because each row repeats the names of its columns. ` +
    'Upload fewer rows per file, or use shorter column names.';
  return new UnprocessableError('table_too_large', detail);
}
