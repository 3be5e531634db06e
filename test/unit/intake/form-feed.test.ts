import { describe, expect, test } from '@jest/globals';
import busboy from 'busboy';
import fc from 'fast-check';
import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { FormFeed } from '../../../src/intake/form-feed.ts';
import { StreamChunks } from '../../../src/intake/stream-chunks.ts';
import { FORM_HEADERS, formBody } from '../../helpers/fake-request.ts';

const KIB = 1024;
const BOUNDARY = '----boundary7';

interface Fed {
  feed: FormFeed;
  /** The bytes of each file, read to its end. */
  files: Promise<Buffer>[];
  /** The sizes of the chunks that bypassed the parser, and of the chunks that were offered and did not. */
  taken: number[];
  chunks: StreamChunks[];
  streams: Readable[];
}

/** Makes a parser with its feed. @param reads if false, the files are not read */
function feedParser(boundary = BOUNDARY, reads = true): Fed {
  const parser = busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    fileHwm: 64 * KIB,
  });
  const feed = new FormFeed(parser, boundary, (block) => block.toString('latin1'));
  const fed: Fed = { feed, files: [], taken: [], chunks: [], streams: [] };
  parser.on('file', (_name, stream) => {
    stream.on('error', () => undefined);
    const chunks = new StreamChunks(stream, (error) => error);
    fed.chunks.push(chunks);
    fed.streams.push(stream);
    feed.openFile({
      take(chunk, done) {
        const isTaken = chunks.take(chunk, done);
        if (isTaken) fed.taken.push(chunk.length);
        return isTaken;
      },
      awaitDrain: (done) => chunks.awaitDrain(done),
    });
    if (reads) fed.files.push(readAll(chunks));
  });
  parser.on('error', () => undefined);
  return fed;
}

async function readAll(chunks: StreamChunks): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read);
}

/** Writes the chunks one after the other, as they come from a network. Resolves when the parser has ended. */
async function send({ feed }: Fed, ...chunks: readonly Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    await new Promise<void>((resolve, reject) => feed.write(chunk, (error) => (error ? reject(error) : resolve())));
    await turn();
  }
  feed.end();
}

/** Bytes that almost contain the delimiter. */
const CONTENT = Buffer.from(`${'one'.repeat(40)}\r\n------boundary\r\r\n\r\n-${'two'.repeat(40)}\r\n------boundar`);
const BODY = formBody(
  { name: 'a', fileName: 'a', bytes: CONTENT },
  { name: 'options', bytes: '{}' },
  { name: 'b', fileName: 'b', bytes: '' },
  { name: 'c', fileName: 'c', bytes: CONTENT },
);
const FILES = [CONTENT, Buffer.alloc(0), CONTENT].map(String);

describe('a form', () => {
  test('has the same files if it is cut anywhere, whether the parser reads them or not', async () => {
    let taken = 0;
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BODY.length - 1 }), { maxLength: 12 });
    const everyByte = Array.from({ length: BODY.length - 1 }, (_, index) => index + 1);
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const ends = [...at.toSorted((a, b) => a - b), BODY.length];
        const fed = feedParser();
        await send(fed, ...ends.map((end, index) => BODY.subarray(ends[index - 1] ?? 0, end)));
        expect((await Promise.all(fed.files)).map(String)).toEqual(FILES);
        taken += fed.taken.length;
      }),
      { examples: [[everyByte], ...everyByte.map((at): [number[]] => [[at]])], numRuns: BODY.length + 60 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('is read without the parser except for its first and its last chunk', async () => {
    const content = Buffer.alloc(640 * KIB, 'x');
    const body = formBody({ name: 'a', fileName: 'a', bytes: content });
    const fed = feedParser();
    await send(
      fed,
      ...Array.from({ length: 11 }, (_, index) => body.subarray(index * 64 * KIB, (index + 1) * 64 * KIB)),
    );
    expect((await fed.files[0])?.equals(content)).toBe(true);
    expect(fed.taken.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 64 * KIB));
  });

  test('has the same files if they almost contain its delimiter and it is cut anywhere', async () => {
    const piece = fc.constantFrom('\r', '\n', '\r\n', '-', '--', '\r\n--', `\r\n--${BOUNDARY.slice(0, -1)}`, 'x');
    const contents = fc.array(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      { minLength: 1, maxLength: 3 },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(contents, cuts, async (files, at) => {
        const whole = formBody(...files.map((bytes) => ({ name: 'f', fileName: 'f', bytes })));
        const ends = [...at.filter((end) => end < whole.length).toSorted((a, b) => a - b), whole.length];
        const fed = feedParser();
        await send(fed, ...ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end)));
        expect((await Promise.all(fed.files)).map(String)).toEqual(files);
      }),
      { numRuns: 200 },
    );
  });

  test('may have a boundary of any visible ASCII characters', async () => {
    const boundary = '***** a;b%c';
    const body = Buffer.from(
      String(formBody({ name: 'a', fileName: 'a', bytes: CONTENT })).replaceAll(`--${BOUNDARY}`, `--${boundary}`),
    );
    const fed = feedParser(boundary);
    await send(fed, body.subarray(0, 120), body.subarray(120));
    expect(String(await fed.files[0])).toBe(String(CONTENT));
  });
});

describe('a feed', () => {
  const body = formBody({ name: 'a', fileName: 'a', bytes: Buffer.alloc(2048 * KIB, 'x') });
  const parts = Array.from({ length: 33 }, (_, index) => body.subarray(index * 64 * KIB, (index + 1) * 64 * KIB));

  test('waits while the reader of the file waits, and continues with it', async () => {
    const fed = feedParser(BOUNDARY, false);
    const sent = send(fed, ...parts);
    await turn();
    const first = await fed.chunks[0]?.next();
    for (let round = 0; round < 20; round += 1) await turn();
    expect(fed.taken.length).toBeGreaterThan(2);
    expect(fed.taken.length).toBeLessThan(8);
    const rest = fed.chunks[0] === undefined ? Buffer.alloc(0) : await readAll(fed.chunks[0]);
    await sent;
    expect((first?.value?.length ?? 0) + rest.length).toBe(2048 * KIB);
  });

  test('keeps few chunks, even short ones, while the reader of the file is behind', async () => {
    const { feed, chunks } = feedParser(BOUNDARY, false);
    const isWanted = [feed.write(body.subarray(0, 1024))];
    await turn();
    const first = await chunks[0]?.next();
    for (let at = 1024; at < 2024; at += 1) {
      isWanted.push(feed.write(body.subarray(at, at + 1)));
      await turn();
    }
    expect(isWanted.filter(Boolean).length).toBeLessThan(120);
    feed.end(body.subarray(2024));
    const rest = chunks[0] === undefined ? Buffer.alloc(0) : await readAll(chunks[0]);
    expect((first?.value?.length ?? 0) + rest.length).toBe(2048 * KIB);
  });

  test('continues through the parser if the reader leaves a file in the middle', async () => {
    const fed = feedParser(BOUNDARY, false);
    const sent = send(fed, ...parts);
    await turn();
    await fed.chunks[0]?.next();
    for (let round = 0; round < 20; round += 1) await turn();
    const takenBefore = fed.taken.length;
    await fed.chunks[0]?.return();
    fed.streams[0]?.resume();
    await sent;
    expect(fed.taken.length).toBe(takenBefore);
  });

  test('ends with its parser', async () => {
    const parser = busboy({ headers: FORM_HEADERS });
    const feed = new FormFeed(parser, BOUNDARY, String);
    parser.on('error', () => undefined);
    parser.destroy(new Error('refused'));
    await turn();
    expect(feed.destroyed).toBe(true);
  });
});
