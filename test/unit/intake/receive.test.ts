import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../../src/errors.ts';
import { manifestKey, originalKey } from '../../../src/storage/keys.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';
import { receiveFile, type IncomingFile } from '../../../src/intake/receive.ts';
import { ReceiveProgress } from '../../../src/intake/receive-progress.ts';
import type { StoredUpload } from '../../../src/record/open-record.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { heicHead } from '../../helpers/heic-files.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { codeOf, freshId, jpegBytes } from '../../helpers/fake-request.ts';
import { eventually } from '../../helpers/eventually.ts';

let temp: TempStorage;
let progress: ReceiveProgress;

beforeEach(async () => {
  temp = await openTempStorage();
  progress = new ReceiveProgress(async () => ({ applied: true, version: 1, record: undefined }), silentLog);
});
afterEach(async () => {
  await progress.close();
  await temp.remove();
});

const kinds = createKinds();

async function* chunksOf(bytes: Buffer, size = 1000, end: () => void = () => undefined): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  end();
}

function incoming(chunks: AsyncIterable<Buffer>, more: Partial<IncomingFile> = {}): IncomingFile {
  const id = freshId();
  const manifestOf = (stored: StoredUpload) => ({
    key: manifestKey(id, 'r1'),
    bytes: Buffer.from(JSON.stringify(stored)),
  });
  return { id, fencingToken: 'r1', chunks, options: {}, maxBytes: 1_000_000, manifestOf, ...more };
}

describe('an accepted file', () => {
  test.each([1, 7, 4099, 4100, 4101, 100_000])(
    'in chunks of %d bytes is stored completely, with its size, type and digest',
    async (size) => {
      const bytes = jpegBytes(size === 1 ? 5000 : 60_000);
      const file = incoming(chunksOf(bytes, size));
      const stored = await receiveFile({ storage: temp.storage, kinds }, file, progress);
      expect(stored).toEqual({
        type: 'image/jpeg',
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        options: DEFAULT_PICTURE_OPTIONS,
      });
      expect((await readFile(join(temp.directory, originalKey(file.id, 'r1')))).equals(bytes)).toBe(true);
      expect(temp.files()).toEqual([manifestKey(file.id, 'r1'), originalKey(file.id, 'r1')]);
      expect(JSON.parse(await readFile(join(temp.directory, manifestKey(file.id, 'r1')), 'utf8'))).toEqual(stored);
      expect([progress.receivedBytes, progress.type]).toEqual([bytes.length, 'image/jpeg']);
    },
  );

  test('may be shorter than the bytes that determine a type', async () => {
    expect(
      await receiveFile({ storage: temp.storage, kinds }, incoming(chunksOf(jpegBytes(40))), progress),
    ).toMatchObject({ type: 'image/jpeg', sizeBytes: 40 });
  });

  test('has no digest if the worker computes it', async () => {
    const stored = await receiveFile(
      { storage: temp.storage, kinds, hashes: false },
      incoming(chunksOf(jpegBytes())),
      progress,
    );
    expect(stored).toMatchObject({ type: 'image/jpeg', sizeBytes: jpegBytes().length, sha256: null });
  });

  test('may have as many bytes as allowed', async () => {
    expect(
      await receiveFile(
        { storage: temp.storage, kinds },
        incoming(chunksOf(jpegBytes(9000)), { maxBytes: 9000 }),
        progress,
      ),
    ).toMatchObject({ sizeBytes: 9000 });
  });
});

describe('a rejected file', () => {
  const text = Buffer.from('Only words.\n'.repeat(2000));

  test('of an unsupported type is rejected before anything is written or the rest is read', async () => {
    const create = jest.fn<Storage['create']>();
    const read = { chunks: 0 };
    async function* source(): AsyncGenerator<Buffer> {
      for await (const chunk of chunksOf(text)) {
        read.chunks += 1;
        yield chunk;
      }
    }
    const storage = { create } as unknown as Storage;
    expect(await codeOf(receiveFile({ storage, kinds }, incoming(source()), progress))).toBe('unsupported_media_type');
    expect([create.mock.calls.length, read.chunks]).toEqual([0, 5]);
  });

  test('is rejected by its bytes, not its size: %PDF and text', async () => {
    for (const bytes of [Buffer.from('%PDF-1.7\n%\u00e2\n'), text, Buffer.from('x')]) {
      expect(await codeOf(receiveFile({ storage: temp.storage, kinds }, incoming(chunksOf(bytes)), progress))).toBe(
        'unsupported_media_type',
      );
    }
    expect(temp.files()).toEqual([]);
  });

  test('without bytes leaves nothing', async () => {
    expect(
      await codeOf(receiveFile({ storage: temp.storage, kinds }, incoming(chunksOf(Buffer.alloc(0))), progress)),
    ).toBe('empty_file');
    expect(temp.files()).toEqual([]);
  });

  test.each([
    [100, 1],
    [4100, 1000],
    [9000, 7],
    [59_999, 60_000],
  ])('is cut at the first byte over %d (chunks of %d), and nothing is left', async (maxBytes, size) => {
    const bytes = jpegBytes(60_000);
    const read = { bytes: 0 };
    async function* source(): AsyncGenerator<Buffer> {
      for await (const chunk of chunksOf(bytes, size)) {
        read.bytes += chunk.length;
        yield chunk;
      }
    }
    expect(
      await codeOf(receiveFile({ storage: temp.storage, kinds }, incoming(source(), { maxBytes }), progress)),
    ).toBe('file_too_large');
    expect(temp.files()).toEqual([]);
    expect(read.bytes).toBeLessThanOrEqual(maxBytes + size);
  });

  test.each([
    ['moving HEIC', heicHead('hevc', 'msf1hevc'), /^This file is image\/heic-sequence. Send one of .*moving pictures/],
    [
      'SVG',
      Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
      /^This file is image\/svg\+xml. Send one of .*Export it as PNG/,
    ],
  ])('of type %s gets advice what to send instead', async (_, bytes, message) => {
    const receiving = receiveFile({ storage: temp.storage, kinds }, incoming(chunksOf(bytes)), progress);
    await expect(receiving).rejects.toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(message) as unknown,
    });
    expect(temp.files()).toEqual([]);
  });

  test('that is HEIC, while HEIC is turned off, gets the advice to send JPEG', async () => {
    const withoutHeic = createKinds({ pictureHeic: 'off' });
    const parts = { storage: temp.storage, kinds: withoutHeic };
    await expect(receiveFile(parts, incoming(chunksOf(heicHead())), progress)).rejects.toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(/^This file is image\/heic. Send one of .*Save it as JPEG/) as unknown,
    });
    expect(temp.files()).toEqual([]);
  });

  test('with invalid options gets the mistake, and nothing is written', async () => {
    const receiving = receiveFile(
      { storage: temp.storage, kinds },
      incoming(chunksOf(jpegBytes()), { options: { shrink: 3 } }),
      progress,
    );
    await expect(receiving).rejects.toMatchObject({
      code: 'bad_options',
      message: expect.stringContaining('shrink') as unknown,
    });
    for (const options of [null, [], 'x', 7]) {
      expect(
        await codeOf(
          receiveFile({ storage: temp.storage, kinds }, incoming(chunksOf(jpegBytes()), { options }), progress),
        ),
      ).toBe('bad_options');
    }
    expect(temp.files()).toEqual([]);
  });

  test.each([0, 2000, 5900])('whose source broke off after %d bytes leaves nothing', async (bytes) => {
    const source = chunksOf(jpegBytes(bytes), 1000, () => {
      throw new ServiceError('upload_interrupted', 'Gone.');
    });
    expect(await codeOf(receiveFile({ storage: temp.storage, kinds }, incoming(source), progress))).toBe(
      'upload_interrupted',
    );
    expect(temp.files()).toEqual([]);
  });

  test('that the record has fenced leaves nothing', async () => {
    const fencing = new ReceiveProgress(
      async () => ({ applied: false, rejection: 'fenced', record: undefined }),
      silentLog,
    );
    async function* source(): AsyncGenerator<Buffer> {
      yield jpegBytes(5000);
      await eventually('the fence', () => {
        try {
          fencing.received(0);
          return false;
        } catch {
          return true;
        }
      });
      yield Buffer.alloc(10);
    }
    expect(await codeOf(receiveFile({ storage: temp.storage, kinds }, incoming(source()), fencing))).toBe(
      'upload_superseded',
    );
    expect(temp.files()).toEqual([]);
    await fencing.close();
  });
});

describe('a failing storage', () => {
  test.each(['write', 'commit'] as const)('in %s causes one discard of the writer', async (where) => {
    const discard = jest.fn(async () => undefined);
    const full = async () => await Promise.reject(new ServiceError('storage_full', 'Full.'));
    const writer = { write: async () => undefined, commit: async () => undefined, discard, [where]: full };
    const storage = { create: async () => writer } as unknown as Storage;
    expect(await codeOf(receiveFile({ storage, kinds }, incoming(chunksOf(jpegBytes())), progress))).toBe(
      'storage_full',
    );
    expect(discard).toHaveBeenCalledTimes(1);
  });
});
