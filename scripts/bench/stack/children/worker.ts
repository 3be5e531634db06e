import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'bullmq';
import { parse } from 'csv-parse';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { StackJob, StackWorkerQuestions } from '../questions.ts';
import { changeRecord, syncFile, syncFolder } from './careful.ts';

/** The three files of a picture, with the encoder settings of the service. */
const VARIANTS = [
  { name: '1600.webp', size: 1600, format: 'webp' },
  { name: '640.webp', size: 640, format: 'webp' },
  { name: '160.jpg', size: 160, format: 'jpeg' },
] as const;
const QUALITY = 80;
const WEBP_EFFORT = 2;

/** The service has the same number by default. */
const CONCURRENCY = 1;

serveQuestions<StackWorkerQuestions>({
  async start({ redisUrl, isCareful }) {
    const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
    const records = isCareful ? new Redis(redisUrl) : undefined;
    const worker = new Worker<StackJob>(
      isCareful ? 'stack-careful' : 'stack-plain',
      async ({ data }) => {
        const report: Report = async (fields) =>
          records === undefined ? undefined : await changeRecord(records, data.id, fields);
        await report({ state: 'processing' });
        const result =
          data.type === 'text/csv' ? await readTable(data, isCareful) : await convert(data, isCareful, report);
        await report({ state: 'completed', percent: '100', result: JSON.stringify(result) });
        return result;
      },
      { connection, concurrency: CONCURRENCY },
    );
    await worker.waitUntilReady();
  },
});

type Report = (fields: Readonly<Record<string, string>>) => Promise<void>;

/** Makes all variants from the file at the same time, as most teams write it. sharp shrinks while it decodes. */
async function convert({ path }: StackJob, isCareful: boolean, report: Report): Promise<unknown> {
  const { width, height, format } = await sharp(path).metadata();
  await report({ stage: 'variants', percent: '50' });
  const variants = await Promise.all(VARIANTS.map((variant) => convertTo(path, variant, isCareful)));
  if (isCareful) await syncFolder(dirname(path));
  return { kind: 'picture', width, height, format, variants };
}

async function convertTo(
  path: string,
  { name, size, format }: (typeof VARIANTS)[number],
  isCareful: boolean,
): Promise<unknown> {
  const resized = sharp(path, { autoOrient: true }).resize({
    width: size,
    height: size,
    fit: 'inside',
    withoutEnlargement: true,
  });
  const encoded =
    format === 'webp' ? resized.webp({ quality: QUALITY, effort: WEBP_EFFORT }) : resized.jpeg({ quality: QUALITY });
  const target = `${path}-${name}`;
  const part = isCareful ? `${target}.part` : target;
  const { width, height, size: bytes } = await encoded.toFile(part);
  if (isCareful) {
    await syncFile(part);
    await rename(part, target);
  }
  return { name, width, height, bytes };
}

/** Reads all rows into a file of JSON lines. */
async function readTable({ path }: StackJob, isCareful: boolean): Promise<unknown> {
  const target = await open(`${path}-rows.jsonl`, 'w');
  let rows = 0;
  let lines: string[] = [];
  try {
    const records = createReadStream(path).pipe(parse({ columns: true })) as AsyncIterable<Record<string, string>>;
    for await (const record of records) {
      rows += 1;
      lines.push(JSON.stringify(record));
      if (lines.length < 1000) continue;
      await target.write(`${lines.join('\n')}\n`);
      lines = [];
    }
    if (lines.length > 0) await target.write(`${lines.join('\n')}\n`);
    if (isCareful) await target.datasync();
  } finally {
    await target.close();
  }
  if (isCareful) await syncFolder(dirname(path));
  return { kind: 'table', rows };
}
