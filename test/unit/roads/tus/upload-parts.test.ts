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

describe('what is stored', () => {
  test('is nothing where nothing came', async () => {
    expect(await parts.stored()).toEqual({ bytes: 0, pieces: [] });
  });

  test('is all parts in a row, whatever their order', async () => {
    await put(6, 'ghi');
    await put(0, 'abc');
    await put(3, 'def');
    expect([(await parts.stored()).bytes, await text()]).toEqual([9, 'abcdefghi']);
  });

  test('ends at the first gap', async () => {
    await put(0, 'abc');
    await put(4, 'efg');
    expect([(await parts.stored()).bytes, await text()]).toEqual([3, 'abc']);
  });

  test('counts once what two processes have written', async () => {
    await put(0, 'abcde', '000000000001');
    await put(0, 'abc', '000000000002');
    await put(3, 'defgh', '000000000003');
    await put(5, 'fg', '000000000004');
    expect([(await parts.stored()).bytes, await text()]).toEqual([8, 'abcdefgh']);
  });

  test('is told from the parts of this upload alone', async () => {
    const key = partKey(id, 42, '0123456789ab');
    await putObject(space.storage, `${key}.other/file`, Buffer.from('x'));
    expect((await parts.stored()).bytes).toBe(0);
    expect([partOffset(key), partOffset(originalKey(id, freshId()))]).toEqual([42, undefined]);
  });

  test('begins with its head', async () => {
    await put(0, 'abc');
    await put(3, 'def');
    expect([String(await parts.head(4)), String(await parts.head(99))]).toEqual(['abcd', 'abcdef']);
  });

  test('cannot be read when a part has gone', async () => {
    await put(0, 'abc');
    const { pieces } = await parts.stored();
    await parts.removeAll();
    await expect(bytesOf(parts.read(pieces))).rejects.toThrow('a part of the upload is missing');
  });
});

describe('appending', () => {
  test('leaves nothing where nothing is written', async () => {
    await parts.append(0).commit();
    expect(space.files()).toEqual([]);
  });

  test('is durable up to the offset that it tells', async () => {
    const writer = parts.append(5);
    await writer.write(Buffer.from('abc'));
    expect([writer.offset, (await parts.stored()).bytes]).toEqual([5, 0]);
    await writer.commit();
    await put(0, '12345');
    expect([writer.offset, await text()]).toEqual([8, '12345abc']);
  });

  test('ends a part when it is full, so that a crash takes no more than one', async () => {
    const writer = parts.append(0);
    for (let mib = 0; mib < 20; mib++) await writer.write(Buffer.alloc(MIB));
    expect([writer.offset, (await parts.stored()).bytes]).toEqual([16 * MIB, 16 * MIB]);
    await writer.discard();
    expect(space.files()).toHaveLength(2);
  });
});
