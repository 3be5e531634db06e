import { statSync } from 'node:fs';
import { runPipeline } from '../../workers/pipeline.ts';
import { createTableProcessor } from '../../workers/table/processor.ts';
import { peakBytes } from './process-memory.ts';

/** The report of a process that has read one table without keeping its rows. */
export interface TableMeasurement {
  rowCount: number;
  jsonLinesBytes: number;
  /** Peak resident memory of the process. */
  peakBytes: number;
}

const KIB = 1024;

/** Buffers that nobody uses any more would count as memory until Node collects them, at a time of its own choice. */
const COLLECT_EVERY_BYTES = 8 * KIB * KIB;

function collect(): void {
  globalThis.gc?.();
}

/** Entry of the process: `measure-table.ts <path> <type>`. */
async function main([inputPath = '', type = '']: readonly string[]): Promise<void> {
  const context = {
    upload: { id: '', publicId: '', type, sizeBytes: statSync(inputPath).size, options: {} },
    inputPath,
    signal: new AbortController().signal,
    publishVariant: async () => await Promise.reject<never>(new Error('a table makes no pictures')),
    async publishFile(_file: unknown, chunks: AsyncIterable<Buffer>) {
      let size = 0;
      for await (const chunk of chunks) {
        if (Math.floor(size / COLLECT_EVERY_BYTES) < Math.floor((size + chunk.length) / COLLECT_EVERY_BYTES)) collect();
        size += chunk.length;
      }
      return { size, url: '' };
    },
  };
  const { rowCount, jsonLines } = await runPipeline(createTableProcessor(), context, { report: () => undefined });
  const measurement: TableMeasurement = {
    rowCount,
    jsonLinesBytes: jsonLines.size,
    peakBytes: peakBytes(process.pid) || KIB * process.resourceUsage().maxRSS,
  };
  process.send?.(measurement);
}

await main(process.argv.slice(2));
