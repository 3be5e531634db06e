import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One kind of table, row by row. */
export interface CsvKind {
  /** Title of the peer in the report. */
  readonly title: string;
  readonly header: string;
  readonly row: (index: number) => string;
}

const BLOCK_ROWS = 1000;
const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Barbara Liskov', 'Zoë Müller'];
const LANDS = ['Switzerland', 'Germany', 'France', 'Japan', 'Brazil', 'Kenya', 'Peru'];

/** The notes of ten rows. Some need quotes because of a comma, and some doubled quotes. */
const NOTES = [
  ...Array<string>(7).fill('nothing to say of it'),
  ...Array<string>(2).fill('"late, but there"'),
  '"said ""hello"", and left"',
];

/** Tables as exported from shops and spreadsheets, as written by instruments, and by some databases. */
export const CSV_KINDS: readonly CsvKind[] = [
  {
    title: 'eight columns, a quoted cell in three of ten rows, quotes within it in one',
    header: 'id,name,email,country,amount,active,created_at,note',
    row: (index) =>
      `${index},${nameOf(index)},user${index}@example.com,${landOf(index)},${amountOf(index)},${index % 3 === 0},${timeOf(index)},${noteOf(index)}`,
  },
  {
    title: 'three columns without quotes',
    header: 'id,name,value',
    row: (index) => `${index},name ${index},${(index * 7) % 1000}`,
  },
  {
    title: 'five columns, quotes around every cell',
    header: '"id","name","email","country","amount"',
    row: (index) => `"${index}","${nameOf(index)}","user${index}@example.com","${landOf(index)}","${amountOf(index)}"`,
  },
];

/** Writes a header and the rows, always the same, and resolves when the file is complete. */
export async function writeCsv({ header, row }: CsvKind, rows: number, path: string): Promise<void> {
  function* blocks(): Generator<string> {
    yield `${header}\n`;
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const lines = Array.from({ length: Math.min(BLOCK_ROWS, rows - first) }, (_, index) => `${row(first + index)}\n`);
      yield lines.join('');
    }
  }
  await pipeline(Readable.from(blocks()), createWriteStream(path));
}

function nameOf(index: number): string {
  return NAMES[index % NAMES.length] ?? '';
}

function landOf(index: number): string {
  return LANDS[index % LANDS.length] ?? '';
}

function amountOf(index: number): number {
  return ((index * 7919) % 100_000) / 100;
}

function timeOf(index: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  return `2026-${two((index % 12) + 1)}-${two((index % 28) + 1)}T10:${two(index % 60)}:00Z`;
}

function noteOf(index: number): string {
  return NOTES[index % NOTES.length] ?? '';
}
