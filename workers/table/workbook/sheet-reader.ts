import { UnprocessableError } from '../../unprocessable-error.ts';
import { CELL } from '../cell-type.ts';
import { encodeBytes, type ByteText, type RowSink } from '../row-source.ts';
import type { XmlListener } from './read-xml.ts';
import { timeValueOf } from './serial-date.ts';
import { decodeEscapes, StringText } from './shared-strings.ts';
import type { TimeFormat } from './styles.ts';

/** The tables and settings that the cells of a sheet refer to. */
export interface CellContext {
  sharedStrings: readonly ByteText[];
  /** The format of each style, by the number of the style. */
  timeFormats: readonly (TimeFormat | undefined)[];
  isFrom1904: boolean;
  /** Maximum size of the text in one row. Many cells may refer to the same long text. */
  maxLineBytes: number;
}

/** Maximum numbers of columns (A to XFD) and rows of a sheet. */
const MAX_COLUMNS = 16_384;
const MAX_ROWS = 1_048_576;

const MAX_INTEGER = 1e15;

const A = 'A'.charCodeAt(0);
const LETTERS = 26;

/** Builds rows from the cells of a sheet (ECMA-376 part 1, section 18.3). Skips rows without values. */
export class SheetReader implements XmlListener {
  readonly #context: CellContext;
  readonly #sink: RowSink;
  readonly #inline = new StringText((text) => (this.#inlineText = text));
  #row = 0;
  #cells: ByteText[] = [];
  #types: number[] = [];
  #column = 0;
  #bytes = 0;
  #type = 'n';
  #style = 0;
  #value = '';
  #inlineText = '';
  #isValue = false;
  #isFormula = false;
  #emptyFormulas = 0;

  constructor(context: CellContext, sink: RowSink) {
    this.#context = context;
    this.#sink = sink;
  }

  /**
   * The number of formulas without a value so far. Programs that do not calculate write such formulas. A formula with
   * an empty text as its value has the type `str` and does not count.
   */
  get emptyFormulas(): number {
    return this.#emptyFormulas;
  }

  get isFull(): boolean {
    return this.#sink.isFull === true;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === 'row') this.#openRow(attributes);
    else if (name === 'c') this.#openCell(attributes);
    else if (name === 'v') this.#isValue = true;
    else if (name === 'f') this.#isFormula = true;
    else this.#inline.open(name, 'is');
  }

  text(text: string): void {
    if (this.#isValue) this.#addValue(text);
    else this.#inline.add(text);
  }

  close(name: string): void {
    if (name === 'row') this.#closeRow();
    else if (name === 'c') this.#closeCell();
    else if (name === 'v') this.#isValue = false;
    else this.#inline.close(name, 'is');
  }

  #openRow({ r }: Readonly<Record<string, string>>): void {
    const row = r === undefined ? this.#row + 1 : Number(r);
    if (!Number.isInteger(row) || row <= this.#row || row > MAX_ROWS) throw damaged();
    this.#row = row;
    this.#cells = [];
    this.#types = [];
    this.#column = 0;
    this.#bytes = 0;
  }

  #openCell({ r, t, s }: Readonly<Record<string, string>>): void {
    this.#column = r === undefined ? this.#column + 1 : columnOf(r);
    if (this.#column <= this.#cells.length || this.#column > MAX_COLUMNS) throw damaged();
    this.#type = t ?? 'n';
    this.#style = s === undefined ? 0 : Number(s);
    this.#value = '';
    this.#inlineText = '';
    this.#isFormula = false;
  }

  #addValue(text: string): void {
    this.#value += text;
    if (this.#value.length > this.#context.maxLineBytes) throw this.#tooLong();
  }

  #closeCell(): void {
    const [text, type] = this.#valueOfCell();
    if (text === '') {
      if (this.#isFormula && this.#type !== 'str') this.#emptyFormulas += 1;
      return;
    }
    while (this.#cells.length < this.#column - 1) {
      this.#cells.push('');
      this.#types.push(CELL.empty);
    }
    this.#cells.push(text);
    this.#types.push(type);
    this.#bytes += text.length;
    if (this.#bytes > this.#context.maxLineBytes) throw this.#tooLong();
  }

  #tooLong(): UnprocessableError {
    return new UnprocessableError(
      'table_line_too_long',
      `Row ${this.#row} has more than ${this.#context.maxLineBytes} bytes. Shorten its cells and upload it again.`,
    );
  }

  #closeRow(): void {
    if (this.#cells.length > 0) this.#sink.row(this.#cells, this.#row, this.#types);
  }

  #valueOfCell(): [text: ByteText, type: number] {
    switch (this.#type) {
      case 's':
        return [this.#sharedString(), CELL.string];
      case 'inlineStr':
        return [encodeBytes(this.#inlineText), CELL.string];
      case 'b':
        return this.#value === '' ? ['', CELL.empty] : [this.#value.trim() === '1' ? 'true' : 'false', CELL.boolean];
      case 'n':
        return this.#number();
      case 'd':
        return [encodeBytes(this.#value), typeOfIso(this.#value)];
      default:
        // The text of a formula, or the name of an error such as `#N/A`.
        return [encodeBytes(decodeEscapes(this.#value)), CELL.string];
    }
  }

  #sharedString(): ByteText {
    if (this.#value === '') return '';
    const text = this.#context.sharedStrings[Number(this.#value)];
    if (text === undefined) throw damaged();
    return text;
  }

  #number(): [text: ByteText, type: number] {
    if (this.#value.trim() === '') return ['', CELL.empty];
    const value = Number(this.#value);
    if (!Number.isFinite(value)) return [encodeBytes(this.#value), CELL.string];
    const format = this.#context.timeFormats[this.#style];
    const time = format === undefined ? undefined : timeValueOf(value, format, this.#context.isFrom1904);
    if (time !== undefined) return [time.text, time.type];
    const isInteger = Number.isInteger(value) && Math.abs(value) < MAX_INTEGER;
    const digits = this.#value.trim();
    return [!isInteger && INTEGER.test(digits) ? digits : String(value), isInteger ? CELL.integer : CELL.number];
  }
}

/** An integer that may have more digits than a JavaScript number keeps. */
const INTEGER = /^-?[1-9]\d*$/;

/** Returns the type of a date, a time or both (ECMA-376 part 1, section 18.18.11). */
function typeOfIso(value: string): number {
  if (value.includes('T')) return CELL.datetime;
  return /^\d\d:/.test(value) ? CELL.time : CELL.date;
}

/** Returns the number of the column of a reference: 1 for `A7`. For an invalid one it is beyond all columns. */
function columnOf(place: string): number {
  let column = 0;
  for (let at = 0; at < place.length; at += 1) {
    const letter = place.charCodeAt(at) - A;
    if (letter < 0 || letter >= LETTERS) break;
    column = column * LETTERS + letter + 1;
  }
  return column === 0 ? MAX_COLUMNS + 1 : column;
}

function damaged(): UnprocessableError {
  return new UnprocessableError(
    'table_damaged',
    'The workbook is damaged: its sheet has cells in wrong places. Save it again and upload it.',
  );
}
