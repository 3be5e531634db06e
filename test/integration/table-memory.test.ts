import { describe, expect, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CSV_TYPE, XLSX_TYPE } from '../../src/kinds/table.ts';
import { compiled } from '../helpers/compiled.ts';
import { sheetRow, workbook } from '../helpers/workbook.ts';
import type { TableMeasurement } from '../helpers/measure-table.ts';

const MIB = 1024 * 1024;

/** The limit of further memory. It is less than the size of the larger file, and much less than its rows. */
const MOST_MORE_BYTES = 50 * MIB;

/** Neither file nor rows would fit into this heap. */
const HEAP_MIB = 48;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'du-memory-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Reads a table in a process of its own. */
async function measure(path: string, type = CSV_TYPE, heapMib = HEAP_MIB): Promise<TableMeasurement> {
  const child = fork(compiled('test/helpers/measure-table.ts'), [path, type], {
    execArgv: [`--max-old-space-size=${heapMib}`, '--expose-gc'],
  });
  const exited = once(child, 'exit');
  const [answer]: unknown[] = await Promise.race([once(child, 'message'), exited]);
  await exited;
  if (typeof answer === 'object' && answer !== null && 'peakBytes' in answer) return answer as TableMeasurement;
  throw new Error(`the process ended with ${String(answer)}`);
}

async function writeCsv(path: string, rows: number): Promise<number> {
  const line = (row: number) =>
    `${row},Ada Lovelace,user${row}@example.com,${row / 8},"a ""quoted"" note, as people write them"\n`;
  function* lines(): Generator<string> {
    yield 'id,name,email,amount,note\n';
    for (let row = 0; row < rows; row += 1000)
      yield Array.from({ length: 1000 }, (_, index) => line(row + index)).join('');
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
  return (await stat(path)).size;
}

test('a large text takes no more memory than a small one', async () => {
  await inFolder(async (folder) => {
    const [small, large] = [join(folder, 'small'), join(folder, 'large')];
    await writeCsv(small, 50_000);
    expect(await writeCsv(large, 700_000)).toBeGreaterThan(55 * MIB);
    const [first, second] = [await measure(small), await measure(large)];
    expect([first.rowCount, second.rowCount]).toEqual([50_000, 700_000]);
    expect(second.jsonLinesBytes).toBeGreaterThan(85 * MIB);
    expect(second.peakBytes - first.peakBytes).toBeLessThan(MOST_MORE_BYTES);
  });
});

describe('a workbook of a few hundred kilobytes', () => {
  test('whose first rows have a megabyte each takes the memory of a few of them', async () => {
    await inFolder(async (folder) => {
      const path = join(folder, 'long');
      const noise = Array.from({ length: 1000 }, (_, index) => (index * 2_654_435_761) % 1_000_000_007).join('');
      const cell = `${noise}${'z'.repeat(1_000_000)}`;
      await writeFile(path, workbook({ sheets: { One: sheetRow(1, [cell, 'b']) + rowsOf(cell, 60) } }));
      const { rowCount, peakBytes } = await measure(path, XLSX_TYPE);
      expect(rowCount).toBe(60);
      expect(peakBytes).toBeLessThan(320 * MIB);
    });
  });
});

function rowsOf(cell: string, count: number): string {
  return Array.from({ length: count }, (_, index) => sheetRow(index + 2, [cell, index])).join('');
}
