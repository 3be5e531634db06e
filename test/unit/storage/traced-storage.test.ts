import { describe, expect, test } from '@jest/globals';
import { originalKey, uploadPrefix } from '../../../src/storage/keys.ts';
import { commitWith, type Storage } from '../../../src/storage/storage.ts';
import { tracedStorage } from '../../../src/storage/traced-storage.ts';
import { NO_SPAN, type Span } from '../../../src/telemetry/tracing.ts';
import { uploadRef } from '../../../src/telemetry/upload-ref.ts';
import { openTempStorage } from '../../helpers/temp-storage.ts';

const ID = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';
const KEY = originalKey(ID, ID);
const UPLOAD = { 'deferred_uploads.upload': uploadRef(ID) };

/** A span that notes its children, and whether they have failed. */
function recordingSpan() {
  const spans: { name: string; attributes: unknown; end: 'open' | 'ended' | 'failed' }[] = [];
  const parent: Span = {
    ...NO_SPAN,
    isOn: true,
    child(name, start) {
      const noted: (typeof spans)[number] = { name, attributes: start?.attributes, end: 'open' };
      spans.push(noted);
      return {
        ...parent,
        fail: () => void (noted.end = 'failed'),
        end: () => void (noted.end = noted.end === 'failed' ? 'failed' : 'ended'),
      };
    },
  };
  return { parent, spans };
}

async function withStorage(use: (storage: Storage) => Promise<void>): Promise<void> {
  const temp = await openTempStorage();
  try {
    await use(temp.storage);
  } finally {
    await temp.remove();
  }
}

describe('a traced storage', () => {
  test('is the storage itself while tracing is off', async () => {
    await withStorage(async (storage) => expect(tracedStorage(storage, NO_SPAN)).toBe(storage));
  });

  test('has a span for each call, with the reference of the upload and not its id', async () => {
    const { parent, spans } = recordingSpan();
    await withStorage(async (storage) => {
      const traced = tracedStorage(storage, parent);
      const writer = await traced.create(KEY);
      await writer.write(Buffer.from('a'));
      await writer.commit();
      await traced.stat(KEY);
      for await (const _chunk of (await traced.read(KEY)) ?? []);
      await (await traced.openLocal(KEY))?.release();
      await traced.remove(KEY);
      await traced.removeAll(uploadPrefix(ID));
    });
    const calls = ['create', 'commit', 'stat', 'read', 'open', 'remove', 'remove all'];
    expect(spans).toEqual(calls.map((call) => ({ name: `storage ${call}`, attributes: UPLOAD, end: 'ended' })));
  });

  test('names the commit of an upload with its manifest `store`, for every driver', async () => {
    const { parent, spans } = recordingSpan();
    await withStorage(async (storage) => {
      const traced = tracedStorage(withoutCommitWith(storage), parent);
      const writer = await traced.create(KEY);
      await writer.write(Buffer.from('a'));
      const manifest = { key: `${uploadPrefix(ID)}/${ID}.manifest.json`, bytes: Buffer.from('{}') };
      await commitWith(traced, writer, manifest);
      expect(await storage.stat(manifest.key)).toMatchObject({ sizeBytes: 2 });
    });
    expect(spans.map(({ name }) => name)).toEqual(['storage create', 'store']);
  });

  test('marks a call that failed', async () => {
    const { parent, spans } = recordingSpan();
    await withStorage(async (storage) => {
      const broken = { ...tracedStorage(storage, parent), stat: () => Promise.reject(new Error('disk')) };
      await expect(tracedStorage(broken, parent).stat(KEY)).rejects.toThrow('disk');
    });
    expect(spans).toEqual([{ name: 'storage stat', attributes: UPLOAD, end: 'failed' }]);
  });
});

/** A driver that has no cheaper way to write both. */
function withoutCommitWith(storage: Storage): Storage {
  return {
    ...tracedStorage(storage, recordingSpan().parent),
    async create(key) {
      const writer = await storage.create(key);
      return { write: (chunk) => writer.write(chunk), commit: () => writer.commit(), discard: () => writer.discard() };
    },
  };
}
