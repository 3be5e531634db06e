import type { TableResult, TableWarning } from '../../src/wire/documents.ts';

/**
 * UTF-8 text with one character (code 0 to 255) per byte. Text that is read and written as bytes need not be decoded
 * and encoded, which would take longer than all other work on it.
 */
export type ByteText = string;

/** Receives the rows of a table. A row is valid only during the call. */
export interface RowSink {
  /**
   * Receives a row. `types` holds a `CELL` for each cell if the source knows the types. Otherwise they follow from the
   * text.
   */
  row(cells: readonly ByteText[], line: number, types?: readonly number[]): void;
  /** Receives a row that cannot be read. */
  error(line: number, code: string, message: string): void;
  /** If true, the memory of the sink is full, and the source yields before the next row. */
  readonly isFull?: boolean;
}

/** The part of a result that describes where the rows come from. */
type SourceFacts = Pick<TableResult, 'format' | 'encoding' | 'encodingCertainty' | 'delimiter' | 'sheet'>;

/** A source of rows. It can be read several times. */
export interface RowSource {
  readonly facts: SourceFacts;
  /** True if a row may have fewer cells than there are columns. The missing cells are empty. */
  readonly isSparse: boolean;
  /** Warnings about parts that were left out or are uncertain, as far as the last read has found them. */
  warnings(): readonly TableWarning[];
  /** The error detail for a table without rows: one or more sentences. */
  readonly whenEmpty: string;
  /**
   * Reads all rows from the start and passes them to the sink. It yields regularly the fraction of the table that has
   * been read, 0 to 1. Throws `UnprocessableError`. To stop early, call `return`.
   */
  read(sink: RowSink, signal: AbortSignal): AsyncGenerator<number, void, undefined>;
}

/** Decodes `ByteText` to characters. */
export function decodeBytes(text: ByteText): string {
  return Buffer.from(text, 'latin1').toString();
}

/** Returns a copy of a text. A slice of a larger text would keep the whole text in memory. */
export function copyOf(text: ByteText): ByteText {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Encodes characters as `ByteText`. */
export function encodeBytes(text: string): ByteText {
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

/** Returns the start of a text without splitting a surrogate pair. */
export function firstCharacters(text: string, count: number): string {
  const cut = text.slice(0, count);
  const last = cut.charCodeAt(cut.length - 1);
  const isHalf = cut.length < text.length && last >= 0xd800 && last < 0xdc00;
  return isHalf ? cut.slice(0, -1) : cut;
}
