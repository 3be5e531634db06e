import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { originalKey, partKey, partOffset } from '../../../../src/storage/keys.ts';
import { putObject } from '../../../../src/storage/storage.ts';
import { UploadParts } from '../../../../src/roads/tus/upload-parts.ts';
import { openTempStorage, type TempStorage } from '../../../helpers/temp-storage.ts';
import { bytesOf, freshId } from '../../../helpers/fake-request.ts';

const MIB = 1024 * 1024;

let space: TempStorage;
let id: string;
let parts: UploadParts;

beforeEach(async () => {
  space = await openTempStorage();
  id = freshId();
  parts = new UploadParts(space.storage, id);
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
    expect(await parts.stored()).toEqual({ bytes: 0, pieces: [] });
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

  test('count bytes once that two processes have written', async () => {
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
    expect([String(await parts.head(4)), String(await parts.head(99))]).toEqual(['abcd', 'abcdef']);
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

  test('ends a part when it is full, so that a crash loses at most one part', async () => {
    const writer = parts.append(0);
    for (let mib = 0; mib < 20; mib++) await writer.write(Buffer.alloc(MIB));
    expect([writer.offset, (await parts.stored()).bytes]).toEqual([16 * MIB, 16 * MIB]);
    await writer.discard();
    expect(space.files()).toHaveLength(2);
  });
});
