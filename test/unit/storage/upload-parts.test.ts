import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { growingPartKey, originalKey, partKey, partOffset } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { UploadParts } from '../../../src/storage/upload-parts.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { bytesOf, freshId } from '../../helpers/fake-request.ts';

const MIB = 1024 * 1024;

let space: TempStorage;
let id: string;
let parts: UploadParts;

beforeEach(async () => {
  space = await openTempStorage();
  id = freshId();
  parts = new UploadParts(space.storage, { id, fencingToken: freshId(), totalBytes: null });
});
afterEach(async () => {
  await space.remove();
});

async function put(offset: number, text: string, nonce = '000000000000'): Promise<void> {
  await putObject(space.storage, partKey(id, offset, nonce), Buffer.from(text));
}

async function text(): Promise<string> {
  return (await bytesOf(parts.read((await parts.stored()).pieces))).toString();
}

describe('the stored parts of an upload', () => {
  test('are empty before the first byte', async () => {
    expect(await parts.stored()).toMatchObject({ bytes: 0, pieces: [] });
  });

  test('are all parts in a row, in any order of their keys', async () => {
    await put(6, 'ghi');
    await put(0, 'abc');
    await put(3, 'def');
    expect([(await parts.stored()).bytes, await text()]).toEqual([9, 'abcdefghi']);
  });

  test('end at the first gap', async () => {
    await put(0, 'abc');
    await put(4, 'efg');
    expect([(await parts.stored()).bytes, await text()]).toEqual([3, 'abc']);
  });

  test('count bytes only once if two processes have written them', async () => {
    await put(0, 'abcde', '000000000001');
    await put(0, 'abc', '000000000002');
    await put(3, 'defgh', '000000000003');
    await put(5, 'fg', '000000000004');
    expect([(await parts.stored()).bytes, await text()]).toEqual([8, 'abcdefgh']);
  });

  test('include only parts of this upload', async () => {
    const key = partKey(id, 42, '0123456789ab');
    await putObject(space.storage, `${key}.other/file`, Buffer.from('x'));
    expect((await parts.stored()).bytes).toBe(0);
    expect([partOffset(key), partOffset(originalKey(id, freshId()))]).toEqual([42, undefined]);
  });

  test('begin with the head of the file', async () => {
    await put(0, 'abc');
    await put(3, 'def');
    const stored = await parts.stored();
    const head = async (byteCount: number) => String(await parts.bytesAt(stored, 0, byteCount));
    expect([await head(4), await head(99)]).toEqual(['abcd', 'abcdef']);
  });

  test('cannot be read after a part was removed', async () => {
    await put(0, 'abc');
    const { pieces } = await parts.stored();
    await parts.removeAll();
    await expect(bytesOf(parts.read(pieces))).rejects.toThrow('a part of the upload is missing');
  });
});

describe('appending a part', () => {
  test('without bytes stores nothing', async () => {
    await parts.append(0).commit();
    expect(space.files()).toEqual([]);
  });

  test('makes the bytes durable up to the returned offset', async () => {
    const writer = parts.append(5);
    await writer.write(Buffer.from('abc'));
    expect([writer.offset, (await parts.stored()).bytes]).toEqual([5, 0]);
    await writer.commit();
    await put(0, '12345');
    expect([writer.offset, await text()]).toEqual([8, '12345abc']);
  });

  test('saves the bytes while more arrive, so that a crash loses at most 32 MiB', async () => {
    const writer = parts.append(0);
    for (let mib = 0; mib < 50; mib++) await writer.write(Buffer.alloc(MIB));
    expect(writer.offset).toBeGreaterThan(17 * MIB);
    const offset = writer.offset;
    // It is renamed while it is listed.
    expect((await parts.stored()).bytes).toBeGreaterThanOrEqual(offset);
    await writer.discard();
    expect([(await parts.stored()).bytes, space.files().length]).toEqual([writer.offset, 1]);
  });

  test('makes one file of all requests, which can become the original', async () => {
    for (const [offset, text] of [
      [0, 'abc'],
      [3, 'def'],
      [6, 'ghi'],
    ] as const) {
      const writer = parts.append(offset);
      await writer.write(Buffer.from(text));
      await writer.commit();
    }
    const { sole, keys } = await parts.stored();
    expect([sole?.sizeBytes, keys.length, await text()]).toEqual([9, 1, 'abcdefghi']);
  });

  test('does not touch a file that a killed process was writing, and begins another one', async () => {
    const keyOf = (sizeBytes: number) => growingPartKey(id, 0, 'deaddeaddead', { sizeBytes, isOpen: true });
    const killed = await space.storage.growing.open(keyOf(0));
    await killed?.write(Buffer.from('killed'));
    await killed?.saveBehind(keyOf);
    const next = parts.append(6);
    await next.write(Buffer.from('next'));
    await next.commit();
    const stored = await parts.stored();
    expect([stored.bytes, stored.keys.length, stored.sole, await text()]).toEqual([10, 2, undefined, 'killednext']);
    // The process was only paused. The bytes that it did not save change nothing.
    await killed?.write(Buffer.from('wrong'));
    await killed?.discard(keyOf);
    expect(await text()).toBe('killednext');
  });

  test('saves nothing before the commit if the bytes must stay in one part', async () => {
    const first = parts.append(0);
    await first.write(Buffer.from('abc'));
    await first.commit();
    const checked = parts.append(3, { isOnePart: true });
    for (let mib = 0; mib < 9; mib++) await checked.write(Buffer.alloc(MIB));
    expect(checked.offset).toBe(3);
    await checked.discard();
    expect([(await parts.stored()).bytes, await text()]).toEqual([3, 'abc']);
  });
});
