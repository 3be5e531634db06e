import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { decodeRecord } from '../../../src/record/record-fields.ts';
import { originalKey, partKey } from '../../../src/storage/keys.ts';
import { putObject, type Storage } from '../../../src/storage/storage.ts';
import { UploadParts } from '../../../src/storage/upload-parts.ts';
import { assemble, type Assembled } from '../../../workers/assemble.ts';
import { freshId } from '../../helpers/fake-request.ts';
import { openS3Storage } from '../../helpers/s3-storage.ts';
import { overriding } from '../../helpers/overriding.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';

const MIB = 1024 * 1024;
const BYTES = randomBytes(10 * MIB);
const DIGEST = createHash('sha256').update(BYTES).digest('hex');

let space: TempStorage;
let record: UploadRecord;
let fractions: number[];
let stop: AbortController;

beforeEach(async () => {
  space = await openTempStorage();
  const fields = { state: 'processing', version: '4', percent: '30', metadata: '{}' };
  const known = decodeRecord(freshId(), fields);
  record = { ...known, fencingToken: freshId(), receivedBytes: BYTES.length, totalBytes: BYTES.length };
  fractions = [];
  stop = new AbortController();
});
afterEach(async () => {
  await space.remove();
});

async function run(storage: Storage = space.storage): Promise<Assembled | undefined> {
  return await assemble(storage, record, {
    signal: stop.signal,
    report: (fraction) => fractions.push(fraction),
    bounded: async (work) => {
      // As `runBounded` does.
      stop.signal.throwIfAborted();
      return await work();
    },
    log: silentLog,
  });
}

async function putParts(): Promise<void> {
  await putObject(space.storage, partKey(record.id, 0, '000000000001'), BYTES.subarray(0, 4 * MIB));
  await putObject(space.storage, partKey(record.id, 4 * MIB, '000000000002'), BYTES.subarray(4 * MIB));
}

const original = () => originalKey(record.id, record.fencingToken);

describe('assemble', () => {
  test('joins the parts to the file, hashes it on the way, and removes the parts', async () => {
    await putParts();
    const found = await run();
    expect(found?.sha256).toBe(DIGEST);
    expect((await readFile(found?.input.path ?? '')).equals(BYTES)).toBe(true);
    expect(space.files()).toEqual([original()]);
    expect([fractions[0], fractions.at(-1)]).toEqual([0, 1]);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  });

  test('hashes a large file that has no digest yet, with a moving fraction', async () => {
    await putObject(space.storage, original(), BYTES);
    expect((await run())?.sha256).toBe(DIGEST);
    expect([fractions.length > 5, fractions.at(-1)]).toEqual([true, 1]);
  });

  test('does not hash a file whose digest is known, and leaves the digest of a small file to the end', async () => {
    await putObject(space.storage, original(), BYTES);
    record = { ...record, sha256: DIGEST };
    expect(await run()).toEqual({ input: expect.anything() });
    record = { ...record, sha256: null, receivedBytes: MIB };
    expect(await run()).toEqual({ input: expect.anything() });
    expect(fractions).toEqual([]);
  });

  test('opens no stream if the upload was cancelled while its file was fetched', async () => {
    await putObject(space.storage, original(), BYTES);
    const uncaught: unknown[] = [];
    const collect = (error: unknown) => void uncaught.push(error);
    process.on('uncaughtException', collect);
    const openLocal = async (key: string) => {
      const file = await space.storage.openLocal(key);
      stop.abort(new Error('cancelled'));
      return file;
    };
    await expect(run(overriding<Storage>(space.storage, { openLocal }))).rejects.toThrow('cancelled');
    await pause(50);
    process.off('uncaughtException', collect);
    expect(uncaught).toEqual([]);
  });

  test('joins parts in a bucket', async () => {
    const bucket = await openS3Storage();
    try {
      const parts = new UploadParts(bucket.storage, record);
      const writer = parts.append(0);
      for (let at = 0; at < BYTES.length; at += MIB) await writer.write(BYTES.subarray(at, at + MIB));
      await writer.commit();
      expect((await parts.stored()).keys).toHaveLength(2);
      const found = await run(bucket.storage);
      expect(found?.sha256).toBe(DIGEST);
      await found?.input.release();
      expect(await parts.stored()).toMatchObject({ isJoined: true, keys: [] });
    } finally {
      await bucket.remove();
    }
  });

  test('removes the parts that an earlier attempt has joined', async () => {
    await putParts();
    await putObject(space.storage, original(), BYTES);
    await run();
    expect(space.files()).toEqual([original()]);
  });

  test('finds nothing if bytes are missing', async () => {
    await putObject(space.storage, partKey(record.id, 0, '000000000001'), BYTES.subarray(0, MIB));
    expect([await run(), fractions]).toEqual([undefined, []]);
  });

  test('stops at a cancel, keeps the parts and leaves no unfinished file', async () => {
    await putParts();
    const before = space.files();
    const storage = overriding(space.storage, {
      create: async (key) => {
        stop.abort(new Error('cancelled'));
        return await space.storage.create(key);
      },
    });
    await expect(run(storage)).rejects.toThrow('cancelled');
    expect(space.files()).toEqual(before);
  });
});
