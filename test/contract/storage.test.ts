import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  commitWith,
  putObject,
  type GrowingObjects,
  type MayRemove,
  type SizedKey,
  type Storage,
} from '../../src/storage/storage.ts';
import { openS3Storage } from '../helpers/s3-storage.ts';
import { TEST_BUCKETS } from '../helpers/test-bucket.ts';
import { openTempStorage } from '../helpers/temp-storage.ts';
import { uploadKeys } from '../helpers/upload-keys.ts';

/** A driver with an empty storage, and the function that removes it. */
interface Driver {
  storage: Storage;
  remove(): Promise<void>;
}

/** Every driver of the service, by name. `TEST_BUCKET` adds the bucket of a real server. */
const DRIVERS: Readonly<Record<string, () => Promise<Driver>>> = {
  LocalStorage: openTempStorage,
  S3Storage: () => openS3Storage(),
  ...TEST_BUCKETS,
};

const [UPLOAD, OTHER, THIRD] = [uploadKeys(1), uploadKeys(12), uploadKeys(3, 'cd')];
const KEY = UPLOAD.original;

/** More bytes than any driver holds in memory, so that some of them are already stored. */
const MORE_THAN_MEMORY = 26 * 1024 * 1024;
const LARGE = Buffer.alloc(MORE_THAN_MEMORY, 'some words of seventeen');

for (const [name, open] of Object.entries(DRIVERS)) describe(name, () => conformance(open));

/** The rules that every caller of a storage relies on, for any driver. */
function conformance(open: () => Promise<Driver>): void {
  let driver: Driver;
  let storage: Storage;

  beforeEach(async () => {
    driver = await open();
    ({ storage } = driver);
  });
  afterEach(async () => {
    await driver.remove();
  });

  const textOf = async (key: string) => (await bytesOf(await storage.read(key)))?.toString();
  const keysBelow = async (prefix: string) => {
    const keys: string[] = [];
    for await (const { key } of storage.list(prefix)) keys.push(key);
    return keys.sort((a, b) => (a < b ? -1 : 1));
  };

  describe('an unfinished object', () => {
    test('is visible only after its commit, and complete then', async () => {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.alloc(3_000_000, 'x'));
      await writer.write(Buffer.from('end'));
      expect([
        await storage.read(KEY),
        await storage.stat(KEY),
        await storage.openLocal(KEY),
        await keysBelow('ab'),
      ]).toEqual([undefined, undefined, undefined, []]);
      await writer.commit();
      expect(await storage.stat(KEY)).toMatchObject({ key: KEY, sizeBytes: 3_000_003 });
      expect(
        (await bytesOf(await storage.read(KEY)))?.equals(
          Buffer.concat([Buffer.alloc(3_000_000, 'x'), Buffer.from('end')]),
        ),
      ).toBe(true);
    });

    test('replaces the earlier object at its commit, not before', async () => {
      await putObject(storage, KEY, Buffer.from('old'));
      const writer = await storage.create(KEY);
      await writer.write(Buffer.from('newer'));
      expect(await textOf(KEY)).toBe('old');
      await writer.commit();
      expect([await textOf(KEY), (await storage.stat(KEY))?.sizeBytes, await keysBelow('ab')]).toEqual([
        'newer',
        5,
        [KEY],
      ]);
    });

    test('may have a small companion, which is not visible before it', async () => {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.from('large'));
      expect(await keysBelow('ab')).toEqual([]);
      await commitWith(storage, writer, { key: UPLOAD.manifest, bytes: Buffer.from('small') });
      expect([await textOf(KEY), await textOf(UPLOAD.manifest), await keysBelow('ab')]).toEqual([
        'large',
        'small',
        [UPLOAD.manifest, KEY],
      ]);
    });

    test('leaves nothing if it is discarded, once or twice, and keeps the earlier object', async () => {
      await putObject(storage, KEY, Buffer.from('old'));
      for (const key of [KEY, UPLOAD.variant()]) {
        const writer = await storage.create(key);
        await writer.write(Buffer.from('new'));
        await writer.discard();
        await writer.discard();
      }
      expect([await textOf(KEY), await keysBelow('ab')]).toEqual(['old', [KEY]]);
    });

    test('may be empty', async () => {
      await putObject(storage, KEY, Buffer.alloc(0));
      expect([await textOf(KEY), (await storage.stat(KEY))?.sizeBytes]).toEqual(['', 0]);
    });

    test('keeps the order and the bytes of its chunks, of any sizes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 40 }), async (chunks) => {
          const writer = await storage.create(KEY);
          for (const chunk of chunks) await writer.write(Buffer.from(chunk));
          await writer.commit();
          expect((await bytesOf(await storage.read(KEY)))?.equals(Buffer.concat(chunks))).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    test('is complete and from one writer if several write the same key', async () => {
      const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(2000));
      await Promise.all(texts.map((text) => putObject(storage, KEY, Buffer.from(text))));
      expect(texts).toContain(await textOf(KEY));
      expect(await keysBelow('ab')).toEqual([KEY]);
    });

    test('is written although other objects are created and removed', async () => {
      const rounds = Array.from({ length: 12 }, async (_, index) => {
        for (let round = 0; round < 8; round++) {
          await putObject(storage, OTHER.part(index), Buffer.from(String(index)));
          expect(await textOf(OTHER.part(index))).toBe(String(index));
          await storage.remove(OTHER.part(index));
        }
      });
      await Promise.all(rounds);
      expect(await keysBelow('ab')).toEqual([]);
    });
  });

  describe('reading', () => {
    test('returns the bytes of a range, both ends included', async () => {
      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
      await putObject(storage, KEY, bytes);
      const ends = fc.tuple(fc.nat(999), fc.nat(999)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
      await fc.assert(
        fc.asyncProperty(ends, async (range) =>
          expect(
            (await bytesOf(await storage.read(KEY, range)))?.equals(bytes.subarray(range.start, range.end + 1)),
          ).toBe(true),
        ),
        { numRuns: 40, examples: [[{ start: 0, end: 0 }], [{ start: 999, end: 999 }], [{ start: 0, end: 999 }]] },
      );
    });

    test('returns a local file with the same bytes until it is released', async () => {
      await putObject(storage, KEY, Buffer.from('bytes'));
      const file = await storage.openLocal(KEY);
      expect((await readFile(file?.path ?? '')).toString()).toBe('bytes');
      await file?.release();
      expect(await textOf(KEY)).toBe('bytes');
    });

    test('returns undefined for an unknown key, even if it is the beginning of another key', async () => {
      await putObject(storage, KEY, Buffer.from('x'));
      for (const key of ['zz/none', 'ab', UPLOAD.prefix]) {
        expect([key, await textOf(key), await storage.stat(key), await storage.openLocal(key)]).toEqual([
          key,
          undefined,
          undefined,
          undefined,
        ]);
      }
    });
  });

  describe('duplicating', () => {
    test('makes the same bytes available under a second key, and both are independent', async () => {
      await putObject(storage, UPLOAD.part(0), Buffer.from('bytes'));
      expect(await storage.duplicate(UPLOAD.part(0), OTHER.part(5))).toBe(true);
      expect([await textOf(UPLOAD.part(0)), await textOf(OTHER.part(5))]).toEqual(['bytes', 'bytes']);
      await putObject(storage, UPLOAD.part(0), Buffer.from('changed'));
      expect(await textOf(OTHER.part(5))).toBe('bytes');
      await storage.removeAll(UPLOAD.prefix);
      expect([await textOf(OTHER.part(5)), await keysBelow('')]).toEqual(['bytes', [OTHER.part(5)]]);
    });

    test('replaces an earlier object, may be repeated, and leaves nothing for an unknown key', async () => {
      await putObject(storage, UPLOAD.part(0), Buffer.from('bytes'));
      await putObject(storage, OTHER.part(0), Buffer.from('old'));
      for (const _ of [1, 2]) expect(await storage.duplicate(UPLOAD.part(0), OTHER.part(0))).toBe(true);
      expect(await textOf(OTHER.part(0))).toBe('bytes');
      expect(await storage.duplicate(THIRD.part(0), THIRD.part(1))).toBe(false);
      expect(await keysBelow('')).toEqual([UPLOAD.part(0), OTHER.part(0)]);
    });
  });

  describe('a growing object', () => {
    const keyOf =
      (isOpen: boolean, nonce = 1) =>
      (sizeBytes: number) =>
        UPLOAD.growing(0, nonce, { sizeBytes, isOpen });
    const withGrowing = async (run: (growing: GrowingObjects) => Promise<void>) => {
      if (storage.growing !== undefined) await run(storage.growing);
    };
    const grown = async (growing: GrowingObjects, text: string): Promise<SizedKey> => {
      const object = await growing.open(keyOf(true)(0));
      await object?.write(Buffer.from(text));
      await object?.close(keyOf(false));
      return { key: keyOf(false)(text.length), sizeBytes: text.length };
    };

    test('has a key with the number of its durable bytes, and continues in a later request', async () => {
      await withGrowing(async (growing) => {
        const first = await grown(growing, 'abc');
        expect([await textOf(first.key), await keysBelow('')]).toEqual(['abc', [first.key]]);
        const object = await growing.open(keyOf(true, 2)(3), first);
        await object?.write(Buffer.from('def'));
        expect(await keysBelow('')).toEqual([keyOf(true, 2)(3)]);
        await object?.close(keyOf(false, 2));
        expect([await textOf(keyOf(false, 2)(6)), object?.savedBytes]).toEqual(['abcdef', 6]);
      });
    });

    test('is opened by only one of several requests at the same time', async () => {
      await withGrowing(async (growing) => {
        const first = await grown(growing, 'abc');
        const nonces = [2, 3, 4, 5];
        const opened = await Promise.all(nonces.map((nonce) => growing.open(keyOf(true, nonce)(3), first)));
        expect(opened.filter((object) => object !== undefined)).toHaveLength(1);
        for (const [index, object] of opened.entries()) await object?.discard(keyOf(false, nonces[index]));
      });
    });

    test('saves bytes before its end, and a discard keeps the saved ones', async () => {
      await withGrowing(async (growing) => {
        const object = await growing.open(keyOf(true)(0));
        await object?.write(Buffer.from('saved'));
        await object?.saveBehind(keyOf(true));
        await object?.write(Buffer.from('dropped'));
        await object?.discard(keyOf(false));
        const key = keyOf(false)(5);
        expect([object?.savedBytes, await keysBelow('')]).toEqual([5, [key]]);
        const next = await growing.open(keyOf(true, 2)(5), { key, sizeBytes: 5 });
        await next?.write(Buffer.from('!'));
        await next?.close(keyOf(false, 2));
        expect(await textOf(keyOf(false, 2)(6))).toBe('saved!');
      });
    });

    test('leaves nothing if it is discarded before anything was saved, or if it was removed', async () => {
      await withGrowing(async (growing) => {
        for (const isRemoved of [false, true]) {
          const object = await growing.open(keyOf(true)(0));
          await object?.write(Buffer.from('bytes'));
          if (isRemoved) await storage.removeAll(UPLOAD.prefix);
          if (isRemoved)
            await expect(object?.close(keyOf(false))).rejects.toMatchObject({ code: 'storage_unavailable' });
          await object?.discard(keyOf(false));
          expect(await keysBelow('')).toEqual([]);
        }
      });
    });

    test('becomes an object without its incomplete end, together with a small companion', async () => {
      await withGrowing(async (growing) => {
        const { key } = await grown(growing, 'bytes and a torn end');
        const companion = { key: UPLOAD.manifest, bytes: Buffer.from('small') };
        expect(await growing.complete({ key, sizeBytes: 5 }, KEY, companion)).toBe(true);
        expect([await textOf(KEY), await textOf(UPLOAD.manifest), await keysBelow('')]).toEqual([
          'bytes',
          'small',
          [UPLOAD.manifest, KEY],
        ]);
        expect(await growing.complete({ key, sizeBytes: 5 }, KEY, companion)).toBe(false);
        expect(await keysBelow('')).toEqual([UPLOAD.manifest, KEY]);
      });
    });
  });

  describe('listing', () => {
    test('returns the files below whole segments, at any depth, without unfinished objects', async () => {
      const all = [UPLOAD.original, UPLOAD.variant(), OTHER.original, THIRD.part(0)];
      for (const key of all) await putObject(storage, key, Buffer.from(key));
      const unfinished = await storage.create(UPLOAD.part(0));
      await unfinished.write(Buffer.alloc(2_000_000));
      expect(await keysBelow(UPLOAD.prefix)).toEqual([UPLOAD.original, UPLOAD.variant()].sort());
      expect(await keysBelow('ab')).toEqual([UPLOAD.original, UPLOAD.variant(), OTHER.original].sort());
      expect(await keysBelow('none')).toEqual([]);
      expect(await keysBelow('')).toEqual([...all].sort());
      await unfinished.discard();
    });

    test('returns size and time, and the time agrees with the object to the second', async () => {
      const beforeMs = Date.now() - 2000;
      await putObject(storage, KEY, Buffer.from('12345'));
      const atMs = (await storage.stat(KEY))?.modifiedAt.getTime() ?? 0;
      for await (const object of storage.list('ab')) {
        expect(object).toMatchObject({ key: KEY, sizeBytes: 5 });
        expect(Math.abs(object.modifiedAt.getTime() - atMs)).toBeLessThan(1000);
        expect(object.modifiedAt.getTime()).toBeGreaterThan(beforeMs);
      }
    });
  });

  test('stores a large object completely, and reads from its middle', async () => {
    const writer = await storage.create(KEY);
    for (let at = 0; at < LARGE.length; at += 1_000_001) await writer.write(LARGE.subarray(at, at + 1_000_001));
    expect(await keysBelow('ab')).toEqual([]);
    await writer.commit();
    expect((await bytesOf(await storage.read(KEY)))?.equals(LARGE)).toBe(true);
    const middle = { start: 8 * 1024 * 1024 - 5, end: 8 * 1024 * 1024 + 5 };
    expect((await bytesOf(await storage.read(KEY, middle)))?.equals(LARGE.subarray(middle.start, middle.end + 1))).toBe(
      true,
    );
  });

  describe('unfinished objects', () => {
    test('are removed if they are old, and younger ones can be continued', async () => {
      const writer = await storage.create(KEY);
      await writer.write(LARGE);
      expect(await storage.removeUnfinished('', new Date(Date.now() - 60_000))).toEqual([]);
      expect(await storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([KEY]);
      await expect(writer.commit()).rejects.toThrow();
      await writer.discard();
      expect(await storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([]);
    });

    test('are removed only if the caller allows it', async () => {
      const [own, other] = [await storage.create(UPLOAD.original), await storage.create(OTHER.original)];
      for (const writer of [own, other]) await writer.write(LARGE);
      const asked: string[] = [];
      const soon = new Date(Date.now() + 60_000);
      const mayRemove: MayRemove = async ({ key, modifiedAt }) => {
        if (modifiedAt < soon) asked.push(key);
        return key === OTHER.original;
      };
      expect(await storage.removeUnfinished('', new Date(Date.now() - 60_000), mayRemove)).toEqual([]);
      expect(asked).toEqual([]);
      expect(await storage.removeUnfinished('', soon, mayRemove)).toEqual([OTHER.original]);
      expect(asked.toSorted()).toEqual([UPLOAD.original, OTHER.original].toSorted());
      await other.discard();
      await own.commit();
      expect(await keysBelow('ab')).toEqual([KEY]);
    });

    test('of one upload are removed, and those of other uploads stay', async () => {
      const [own, other] = [await storage.create(UPLOAD.original), await storage.create(OTHER.original)];
      for (const writer of [own, other]) await writer.write(LARGE);
      expect(await storage.removeUnfinished(UPLOAD.prefix, new Date(Date.now() + 60_000))).toEqual([KEY]);
      await own.discard();
      await other.commit();
      expect(await keysBelow('ab')).toEqual([OTHER.original]);
    });
  });

  describe('removing', () => {
    test('removes only one object', async () => {
      const all = [UPLOAD.original, UPLOAD.manifest, OTHER.original];
      for (const key of all) await putObject(storage, key, Buffer.from('x'));
      await storage.remove(UPLOAD.original);
      expect(await keysBelow('')).toEqual([UPLOAD.manifest, OTHER.original]);
    });

    test('removes nothing and does not fail for an unknown key, even a prefix of another key', async () => {
      await putObject(storage, KEY, Buffer.from('x'));
      await storage.remove('zz/none');
      await storage.removeAll('zz/none');
      await storage.remove(UPLOAD.prefix);
      expect(await textOf(KEY)).toBe('x');
    });

    test('removes everything below a prefix, but not its neighbours', async () => {
      for (const key of [UPLOAD.original, UPLOAD.variant(), UPLOAD.variant('160.jpeg', 12), OTHER.original])
        await putObject(storage, key, Buffer.from('x'));
      await storage.removeAll(UPLOAD.attempt(1));
      expect(await keysBelow('')).toEqual([UPLOAD.original, UPLOAD.variant('160.jpeg', 12), OTHER.original].sort());
      await storage.removeAll(UPLOAD.prefix);
      expect(await keysBelow('')).toEqual([OTHER.original]);
    });

    test('removes unfinished objects too, so they cannot be committed', async () => {
      const writer = await storage.create(KEY);
      await writer.write(LARGE);
      await storage.removeAll(UPLOAD.prefix);
      await expect(writer.commit()).rejects.toThrow();
      await writer.discard();
      expect(await keysBelow('ab')).toEqual([]);
    });
  });

  describe('objects of other programs', () => {
    const FOREIGN = [
      'letter.odt',
      'al/alice/letter.odt',
      'de/de-DE/strings.json',
      'ab/abcdef0123/data',
      `${UPLOAD.prefix}/Thumbs.db`,
      `${UPLOAD.prefix}/notes/a.original`,
      `${UPLOAD.prefix}/attempt-1/deep/er.jpeg`,
      `cd/${UPLOAD.id}/${UPLOAD.id}.original`,
    ];

    beforeEach(async () => {
      for (const key of FOREIGN) await putObject(storage, key, Buffer.from('x'));
      await putObject(storage, KEY, Buffer.from('x'));
    });

    const leftOf = async () => {
      const left = await Promise.all(
        FOREIGN.map(async (key) => ((await storage.stat(key)) === undefined ? [] : [key])),
      );
      return left.flat();
    };

    test('are neither listed nor removed together with uploads', async () => {
      expect([await keysBelow(''), await keysBelow(UPLOAD.prefix)]).toEqual([[KEY], [KEY]]);
      await storage.removeUnfinished('', new Date(Date.now() + 60_000));
      for (const prefix of [UPLOAD.attempt(1), UPLOAD.prefix, 'ab', 'al', 'al/alice', 'de/de-DE', 'cd'])
        await storage.removeAll(prefix);
      expect([await keysBelow(''), await leftOf()]).toEqual([[], FOREIGN]);
    });

    test('stay while other programs write them', async () => {
      const writer = await storage.create('al/alice/film.mkv');
      await writer.write(LARGE);
      expect(await storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([]);
      await storage.removeAll('al');
      await writer.commit();
      expect((await storage.stat('al/alice/film.mkv'))?.sizeBytes).toBe(MORE_THAN_MEMORY);
    });

    test('are found before a storage is first used', async () => {
      expect(await storage.foreignName()).toEqual(expect.any(String));
    });
  });

  test('finds nothing foreign in a storage with only uploads, hidden names and folders of npm start', async () => {
    expect(await storage.foreignName()).toBeUndefined();
    for (const key of [
      KEY,
      OTHER.variant(),
      THIRD.part(0),
      '.DS_Store',
      '.snapshot/x',
      'redis/x',
      'run/x',
      'lost-found',
    ])
      await putObject(storage, key, Buffer.from('x'));
    expect(await storage.foreignName()).toBe('lost-found');
    await storage.remove('lost-found');
    expect(await storage.foreignName()).toBeUndefined();
  });

  test('creates an object only once', async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => await storage.createOnce('.marker.json', Buffer.from(`m${index}`))),
    );
    const first = await textOf('.marker.json');
    expect([made.filter(Boolean).length, first]).toEqual([1, `m${made.indexOf(true)}`]);
    expect(await storage.createOnce('.marker.json', Buffer.from('late'))).toBe(false);
    expect(await textOf('.marker.json')).toBe(first);
  });

  test('leaves nothing after a probe', async () => {
    await storage.probe('full');
    await storage.probe('cheap');
    expect([await keysBelow(''), await storage.foreignName()]).toEqual([[], undefined]);
  });

  test.each(['', '..', '../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/', 'a/.', 'a\\b', 'a\0b', 'ü', 'a b', '...'])(
    'rejects the key %j in every operation',
    async (key) => {
      const calls: (() => Promise<unknown>)[] = [
        () => storage.create(key),
        () => storage.read(key),
        () => storage.stat(key),
        () => storage.openLocal(key),
        () => storage.remove(key),
        () => storage.removeAll(key),
        () => storage.duplicate(key, KEY),
        () => storage.duplicate(KEY, key),
      ];
      // The empty prefix lists everything.
      if (key !== '') calls.push(() => keysBelow(key));
      for (const call of calls) await expect(call()).rejects.toThrow('not a storage key');
    },
  );
}

async function bytesOf(stream: Readable | undefined): Promise<Buffer | undefined> {
  if (stream === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
