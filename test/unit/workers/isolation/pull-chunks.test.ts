import { expect, test } from '@jest/globals';
import { ChunksEnded, PulledChunks } from '../../../../workers/isolation/pull-chunks.ts';

/** Chunks of which each is asked for, and answered with its number, up to the last. */
function pulled(count: number): { chunks: PulledChunks; asked: () => number } {
  let asked = 0;
  const chunks: PulledChunks = new PulledChunks(() => {
    asked += 1;
    chunks.answer(asked > count ? {} : { bytes: Buffer.from(String(asked)) });
  });
  return { chunks, asked: () => asked };
}

test('each chunk is asked for when the one before is done with, until the end', async () => {
  const { chunks, asked } = pulled(3);
  const seen: string[] = [];
  for await (const chunk of chunks) {
    expect(asked()).toBe(seen.length + 1);
    seen.push(chunk.toString());
  }
  expect(seen).toEqual(['1', '2', '3']);
});

test('a file that could not be made ends with that', async () => {
  const chunks: PulledChunks = new PulledChunks(() => chunks.answer({ failed: true }));
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ChunksEnded);
});

test('they end with their process, also where nobody waited for one just then', async () => {
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

test('those of a process that has ended before anybody asked end at once', async () => {
  const { chunks } = pulled(3);
  chunks.cut();
  await expect(chunks[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ChunksEnded);
});
