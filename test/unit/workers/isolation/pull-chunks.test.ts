import { expect, test } from '@jest/globals';
import { ChunksEnded, PulledChunks } from '../../../../workers/isolation/pull-chunks.ts';

/** Answers each request with a chunk that holds its number, up to `count`. */
function pulled(count: number): { chunks: PulledChunks; asked: () => number } {
  let asked = 0;
  const chunks: PulledChunks = new PulledChunks(() => {
    asked += 1;
    chunks.answer(asked > count ? {} : { bytes: Buffer.from(String(asked)) });
  });
  return { chunks, asked: () => asked };
}

test('requests each chunk after the previous one is consumed, until the end', async () => {
  const { chunks, asked } = pulled(3);
  const seen: string[] = [];
  for await (const chunk of chunks) {
    expect(asked()).toBe(seen.length + 1);
    seen.push(chunk.toString());
  }
  expect(seen).toEqual(['1', '2', '3']);
});

test('throws if the isolated process fails to produce the file', async () => {
  const chunks: PulledChunks = new PulledChunks(() => chunks.answer({ failed: true }));
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ChunksEnded);
});

test('throws if the process ends, also if no read is waiting for a chunk', async () => {
  const waiting = new PulledChunks(() => undefined);
  const next = waiting[Symbol.asyncIterator]().next();
  waiting.cut();
  await expect(next).rejects.toBeInstanceOf(ChunksEnded);

  const { chunks, asked } = pulled(3);
  const writing = chunks[Symbol.asyncIterator]();
  await writing.next();
  chunks.cut();
  await expect(writing.next()).rejects.toBeInstanceOf(ChunksEnded);
  expect(asked()).toBe(1);
});

test('throws at once if the process has ended before the first request', async () => {
  const { chunks } = pulled(3);
  chunks.cut();
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ChunksEnded);
});
