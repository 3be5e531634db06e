import { createReadStream, createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { BareQuestions } from '../questions.ts';

/** The obvious script: csv-parse as a stream, with an event per record. */
serveQuestions<BareQuestions>({
  read: async ({ way, path, outputPath }) =>
    await (way === 'records' ? countRecords(path) : writeJsonLines(path, outputPath)),
});

async function countRecords(path: string): Promise<number> {
  let count = 0;
  const parser = parse();
  parser.on('data', () => (count += 1));
  await pipeline(createReadStream(path), parser);
  return count;
}

async function writeJsonLines(path: string, outputPath: string): Promise<number> {
  let count = 0;
  const lines = new Transform({
    writableObjectMode: true,
    transform(record: unknown, _encoding, done) {
      count += 1;
      done(null, `${JSON.stringify(record)}\n`);
    },
  });
  await pipeline(createReadStream(path), parse({ columns: true }), lines, createWriteStream(outputPath));
  return count;
}
