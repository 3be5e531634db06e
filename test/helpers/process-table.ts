import type { TableResult } from '../../src/wire/documents.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import { runPipeline, type PipelineReport } from '../../workers/pipeline.ts';
import { createTableProcessor } from '../../workers/table/processor.ts';
import { fakeContext, withFile } from './process-picture.ts';

export interface ProcessedTable {
  result: TableResult;
  /** The JSON Lines, parsed. */
  rows: Record<string, unknown>[];
  jsonLines: string;
  reports: PipelineReport[];
}

export interface TableToProcess {
  options?: unknown;
  limits?: Partial<TableLimits>;
  type?: string;
  signal?: AbortSignal;
}

/** Runs the whole table processor on `bytes`, without queue and storage. Leaves no file. */
export async function processTable(
  bytes: Buffer | string,
  { options = {}, limits = {}, type = 'text/csv', signal }: TableToProcess = {},
): Promise<ProcessedTable> {
  const whole = Buffer.from(bytes);
  return await withFile(whole, async (path) => {
    const context = fakeContext(path, signal);
    const upload = { ...context.upload, type, sizeBytes: whole.length, options };
    const reports: PipelineReport[] = [];
    const result = await runPipeline(
      createTableProcessor(limits),
      { ...context, upload },
      { report: (report) => reports.push(report) },
    );
    const jsonLines = context.files.get('rows.jsonl')?.toString() ?? '';
    const rows = jsonLines
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { result, rows, jsonLines, reports };
  });
}
