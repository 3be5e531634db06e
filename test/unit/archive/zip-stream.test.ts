import { describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import {
  fromBufferPromise,
  fromRandomAccessReaderPromise,
  RandomAccessReader,
  type Entry,
  type ZipFile as OpenZip,
} from 'yauzl';
import {
  dataDescriptor,
  directoryEntry,
  endOfDirectory,
  localHeader,
  METHOD,
  type ZipMember,
} from '../../../src/archive/zip-headers.ts';
import { zipSizeOf, zipStream, type ZipFile } from '../../../src/archive/zip-stream.ts';
import { eventually } from '../../helpers/eventually.ts';

const TIME = new Date('2026-03-14T09:26:54Z');

function fileOf(name: string, content: string, more: Partial<ZipFile> = {}): ZipFile {
  const bytes = Buffer.from(content);
  const half = Math.ceil(bytes.length / 2);
  return {
    name,
    modifiedAt: TIME,
    sizeBytes: bytes.length,
    async *open() {
      yield bytes.subarray(0, half);
      yield bytes.subarray(half);
    },
    ...more,
  };
}

async function archiveOf(files: readonly ZipFile[]): Promise<Buffer> {
  return Buffer.concat(await Readable.from(zipStream(files)).toArray());
}

/** Returns the content that a reader of archives finds. */
async function contentOf(zip: OpenZip) {
  const found: { name: string; content: string; method: number; time: number; crc: number }[] = [];
  for await (const entry of zip.eachEntry()) {
    const stream = await zip.openReadStreamPromise(entry);
    found.push({
      name: entry.fileName,
      content: await text(stream),
      method: entry.compressionMethod,
      time: entry.getLastModDate().getTime(),
      crc: entry.crc32,
    });
  }
  return found;
}

describe('a zip archive', () => {
  const files = [fileOf('Hafen – 港.jpg', 'picture'), fileOf('orders/rows.jsonl', '{}\n'), fileOf('empty', '')];

  test('has its files unchanged, with names in UTF-8, times and checksums', async () => {
    const zip = await archiveOf(files);
    expect(await contentOf(await fromBufferPromise(zip))).toEqual(
      [
        ['Hafen – 港.jpg', 'picture'],
        ['orders/rows.jsonl', '{}\n'],
        ['empty', ''],
      ].map(([name = '', content = '']) => ({
        name,
        content,
        method: METHOD.stored,
        time: TIME.getTime(),
        crc: crc32(content),
      })),
    );
  });

  test('has the size that was computed before it was read', async () => {
    expect((await archiveOf(files)).length).toBe(zipSizeOf(files));
    expect(zipSizeOf([])).toBe(22);
    expect(zipSizeOf([fileOf('a', 'a', { sizeBytes: undefined })])).toBeUndefined();
  });

  test('compresses files whose size is not known', async () => {
    const content = 'again and '.repeat(5000);
    const zip = await archiveOf([fileOf('long', content, { sizeBytes: undefined }), fileOf('b', 'b')]);
    expect(zip.length).toBeLessThan(content.length / 10);
    const [long, next] = await contentOf(await fromBufferPromise(zip));
    expect(long).toMatchObject({ content, method: METHOD.deflated, crc: crc32(content) });
    expect(next?.content).toBe('b');
  });

  test('ends with an error if a file has another size than announced', async () => {
    await expect(archiveOf([fileOf('a', 'abc', { sizeBytes: 4 })])).rejects.toThrow('size of its record');
  });

  test.each([5, undefined])(
    'stops reading a file of size %s if the archive is not read to its end',
    async (sizeBytes) => {
      const source = Readable.from(
        (function* () {
          while (true) yield Buffer.alloc(70_000);
        })(),
      );
      const archive = zipStream([fileOf('a', '', { sizeBytes, open: () => source })]);
      for (let chunks = 0; chunks < 3; chunks += 1) await archive.next();
      await archive.return();
      await eventually('the end of the reading', () => source.destroyed);
    },
  );
});

describe('an archive beyond 4 GiB', () => {
  /** Serves the two headers, and zeros between them. */
  class Sparse extends RandomAccessReader {
    readonly #parts: readonly (readonly [offset: number, bytes: Buffer])[];
    constructor(parts: readonly (readonly [offset: number, bytes: Buffer])[]) {
      super();
      this.#parts = parts;
    }
    override _readStreamForRange(start: number, end: number): Readable {
      const wanted = Buffer.alloc(end - start);
      for (const [offset, bytes] of this.#parts) {
        const from = Math.max(start, offset);
        const to = Math.min(end, offset + bytes.length);
        if (from < to) bytes.copy(wanted, from - start, from - offset, to - offset);
      }
      return Readable.from([wanted]);
    }
  }

  test('has its sizes and places in the zip64 form', async () => {
    const sizes = { crc: 7, packedBytes: 5_000_000_000, sizeBytes: 5_000_000_000 };
    const big: ZipMember = { name: Buffer.from('big'), modifiedAt: TIME, method: METHOD.stored, isLarge: true };
    const small: ZipMember = { ...big, name: Buffer.from('small'), isLarge: false };
    const smallSizes = { crc: crc32('x'), packedBytes: 1, sizeBytes: 1 };
    const smallAt = localHeader(big).length + sizes.packedBytes + dataDescriptor(big, sizes).length;
    const smallFile = Buffer.concat([localHeader(small), Buffer.from('x'), dataDescriptor(small, smallSizes)]);
    const directory = Buffer.concat([directoryEntry(big, sizes, 0), directoryEntry(small, smallSizes, smallAt)]);
    const directoryAt = smallAt + smallFile.length;
    const end = Buffer.concat([directory, endOfDirectory(2, directory.length, directoryAt)]);
    const wholeBytes = directoryAt + end.length;
    expect(zipSizeOf([fileOf('big', '', { sizeBytes: sizes.sizeBytes }), fileOf('small', 'x')])).toBe(wholeBytes);

    const reader = new Sparse([
      [0, localHeader(big)],
      [smallAt, smallFile],
      [directoryAt, end],
    ]);
    const zip = await fromRandomAccessReaderPromise(reader, wholeBytes, { autoClose: false });
    const entries = (await Readable.from(zip.eachEntry()).toArray()) as Entry[];
    expect(entries.map((entry) => [entry.fileName, entry.uncompressedSize, entry.compressedSize])).toEqual([
      ['big', 5_000_000_000, 5_000_000_000],
      ['small', 1, 1],
    ]);
    const last = entries[1];
    if (last === undefined) throw new Error('no second file');
    expect(await text(await zip.openReadStreamPromise(last))).toBe('x');
  });
});
