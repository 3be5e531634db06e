import type { TableResult, TableWarning } from '../../src/wire/documents.ts';

/**
 * UTF-8, one character of code 0 to 255 for each byte: text that was read as bytes and goes out as bytes is so spared
 * from being decoded and encoded again, which costs more than all else that is done with it.
 */
export type ByteText = string;

/** Hears the rows of a table, each only while it is called. */
export interface RowSink {
  /** `types` holds a `CELL` for each cell where the source knows them; without it they are told from the characters. */
  row(cells: readonly ByteText[], line: number, types?: readonly number[]): void;
  /** A row that cannot be read. */
  error(line: number, code: string, message: string): void;
  /** True if the rows since the last yield fill its memory: the source yields before the next one. */
  readonly isFull?: boolean;
}

/** What a result says of where the rows come from. */
export type SourceFacts = Pick<TableResult, 'format' | 'encoding' | 'encodingCertainty' | 'delimiter' | 'sheet'>;

/** Where rows come from; it can be read several times. */
export interface RowSource {
  readonly facts: SourceFacts;
  /** True where a row may have fewer cells than there are columns: the others are empty then. */
  readonly isSparse: boolean;
  /** What was left out, or is uncertain, before the rows. */
  readonly warnings: readonly TableWarning[];
  /** Told to the sender if there are no rows at all; sentences. */
  readonly whenEmpty: string;
  /**
   * Reads all rows from the first on and hands them to the sink, some at a time: after each time it yields how much
   * of the table has been read, 0 to 1. Throws `UnprocessableError`. Who stops early ends it with `return`.
   */
  read(sink: RowSink, signal: AbortSignal): AsyncGenerator<number, void, undefined>;
}

/** The characters behind `ByteText`. */
export function decodeBytes(text: ByteText): string {
  return Buffer.from(text, 'latin1').toString();
}

/** A copy of a text. A piece of a larger text would keep all of that in memory. */
export function copyOf(text: ByteText): ByteText {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The bytes of characters, as `ByteText`. */
export function encodeBytes(text: string): ByteText {
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}
