import { describe, expect, test } from '@jest/globals';
import { growingPartKey, originalKey, uploadPrefix } from '../../../src/storage/keys.ts';
import type { DirectParts } from '../../../src/storage/direct-parts.ts';
import { commitWith, type Storage } from '../../../src/storage/storage.ts';
import { tracedStorage } from '../../../src/storage/traced-storage.ts';
import { NO_SPAN, type Span } from '../../../src/telemetry/tracing.ts';
import { uploadRef } from '../../../src/telemetry/upload-ref.ts';
import { openTempStorage } from '../../helpers/temp-storage.ts';

const ID = '2f1c1e8e-6d55-4b0b-9d0a-0d3f4b6a7c11';
const KEY = originalKey(ID, ID);
const UPLOAD = { 'deferred_uploads.upload': uploadRef(ID) };

/** Makes a span that records its children, and whether they have failed. */
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

  test('calls the span of the commit of a file and its manifest `store`, for every driver', async () => {
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

  test('has a span for a listing, for a growing object and its completion, but not for each write', async () => {
    const { parent, spans } = recordingSpan();
    await withStorage(async (storage) => {
      const traced = tracedStorage(storage, parent);
      const keyOf = (sizeBytes: number): string => growingPartKey(ID, 0, 'a'.repeat(12), { sizeBytes, isOpen: false });
      const object = await traced.growing?.open(keyOf(0));
      await object?.write(Buffer.from('a'));
      await object?.close(keyOf);
      expect(object?.savedBytes).toBe(1);
      for await (const _object of traced.list(uploadPrefix(ID)));
      const manifest = { key: `${uploadPrefix(ID)}/${ID}.manifest.json`, bytes: Buffer.from('{}') };
      expect(await traced.growing?.complete({ key: keyOf(1), sizeBytes: 1 }, KEY, manifest)).toBe(true);
    });
    const calls = ['storage append', 'storage commit', 'storage list', 'store'];
    expect(spans).toEqual(calls.map((name) => ({ name, attributes: UPLOAD, end: 'ended' })));
  });

  test('has a span for each request about the parts of a direct upload', async () => {
    const { parent, spans } = recordingSpan();
    const upload = { key: KEY, uploadId: 'u' };
    const direct: DirectParts = {
      begin: async () => 'u',
      find: async () => 'none',
      put: async () => undefined,
      copy: async () => true,
      sign: async () => [],
      list: async () => [],
      complete: async () => true,
      abort: async () => undefined,
    };
    await withStorage(async (storage) => {
      const bucket: Storage = Object.assign(Object.create(storage) as Storage, { direct });
      const traced = tracedStorage(bucket, parent).direct;
      await traced?.begin(KEY);
      await traced?.find(KEY);
      await traced?.put(upload, 1, Buffer.alloc(1));
      await traced?.copy(upload, 1, { key: KEY, start: 0, end: 0 });
      await traced?.sign(upload, []);
      await traced?.list(upload);
      await traced?.complete(upload, []);
      await traced?.abort(upload);
    });
    const calls = ['begin parts', 'find parts', 'put part', 'copy part', 'list parts', 'join parts', 'remove parts'];
    expect(spans).toEqual(calls.map((call) => ({ name: `storage ${call}`, attributes: UPLOAD, end: 'ended' })));
  });

  test('that is traced again has one span for each call, below the last parent', async () => {
    const [outer, inner] = [recordingSpan(), recordingSpan()];
    await withStorage(async (storage) => {
      await tracedStorage(tracedStorage(storage, outer.parent), inner.parent).stat(KEY);
    });
    expect([outer.spans, inner.spans.map(({ name }) => name)]).toEqual([[], ['storage stat']]);
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

/** Returns a driver without `commitWith`, the cheaper way to write a file and its companion. */
function withoutCommitWith(storage: Storage): Storage {
  return {
    ...tracedStorage(storage, recordingSpan().parent),
    async create(key) {
      const writer = await storage.create(key);
      return { write: (chunk) => writer.write(chunk), commit: () => writer.commit(), discard: () => writer.discard() };
    },
  };
}
