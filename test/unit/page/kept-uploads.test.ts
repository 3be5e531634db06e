import { beforeEach, describe, expect, test } from '@jest/globals';
import { FileKeeper } from '../../../src/page/file-keeper.ts';
import type { FileStore } from '../../../src/page/file-store.ts';
import { KeptUploads } from '../../../src/page/kept-uploads.ts';
import { createLineModel, type LineModel } from '../../../src/page/line-model.ts';
import type { UploadHandle } from '../../../src/client/upload-client.ts';
import { completedUpload, freshProgress, freshUpload, problem } from '../client/documents.ts';
import { until } from '../client/until.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

let storage: MapStorage;

beforeEach(() => {
  storage = new MapStorage();
});

class MapStorage implements Storage {
  readonly map = new Map<string, string>();
  get length(): number {
    return this.map.size;
  }
  key(index: number): string | null {
    return [...this.map.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.map.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.map.set(key, value);
  }
  removeItem(key: string): void {
    this.map.delete(key);
  }
  clear(): void {
    this.map.clear();
  }
}

function keptBy(owner: string): KeptUploads {
  return new KeptUploads(() => storage, owner);
}

function line(id: string, patch: Partial<LineModel> = {}): LineModel {
  const handle: Partial<UploadHandle> = { id };
  return {
    ...createLineModel({ name: 'photo.jpg', sizeBytes: 5 }, new File(['bytes'], 'photo.jpg')),
    handle: handle as UploadHandle,
    phase: 'sending',
    ...patch,
  };
}

describe('stored uploads', () => {
  test('are continued in order by the next page, and by one page only', () => {
    const stored = { name: 'photo.jpg', owner: 'first' };
    const paused: Partial<LineModel> = {
      phase: 'paused',
      sizeBytes: 40e6,
      progress: freshProgress(OTHER, { bytes: { received: 9e6, total: 40e6 } }),
    };
    keptBy('first').write([line(OTHER, paused), line(ID, { phase: 'following' })]);
    expect([keptBy('first').owners(), keptBy('after').owners()]).toEqual([new Set(), new Set(['first'])]);
    expect(keptBy('after').claim('first')).toEqual([
      { ...stored, id: OTHER, sizeBytes: 40e6, isPaused: true, sentBytes: 9e6, isDelivered: false },
      { ...stored, id: ID, sizeBytes: 5, isPaused: false, sentBytes: 0, isDelivered: true },
    ]);
    expect(keptBy('beside').claim('first')).toEqual([]);
    expect(keptBy('beside').owners()).toEqual(new Set(['after']));
  });

  test('include failed ones, so that a reload does not hide the failure', () => {
    const outcome = { state: 'failed', final: true } as const;
    for (const [why, needsNoBytes] of [
      [problem('picture_damaged', 422, '', outcome), true],
      [problem('upload_interrupted', 400, '', outcome), false],
      [problem('connection_lost', 0, ''), false],
      // The server has no record of these.
      [problem('queue_full', 503, ''), false],
      [problem('quota_exceeded', 429, ''), false],
      [problem('ticket_forbids', 403, ''), false],
    ] as const) {
      keptBy('first').write([line(ID, { problem: why })]);
      expect(keptBy('after').claim('first')).toMatchObject([{ id: ID, isDelivered: needsNoBytes }]);
    }
  });

  test('are removed from the storage after a cancel', () => {
    const kept = keptBy('first');
    const patches: Partial<LineModel>[] = [{ problem: problem('upload_cancelled', 410, '') }, { cancelling: true }];
    for (const patch of patches) {
      kept.write([line(ID)]);
      expect(storage.length).toBe(1);
      kept.write([line(ID, patch)]);
      expect(storage.length).toBe(0);
    }
    kept.write([line(ID, { upload: completedUpload(freshUpload(ID)) })]);
    expect([storage.length, kept.ids().has(ID)]).toEqual([1, true]);
    kept.write([]);
    expect([storage.length, kept.ids().has(ID)]).toEqual([0, false]);
  });

  test('are removed with their line, except those of another page', () => {
    keptBy('gone').write([line(ID)]);
    keptBy('beside').write([line(OTHER)]);
    const kept = keptBy('after');
    kept.claim('gone');
    kept.write([]);
    expect([kept.ids().has(ID), kept.ids().has(OTHER)]).toEqual([false, true]);
  });

  test.each(['{', '{}', 'null', '[]', '{"name":"a","sizeBytes":"5","owner":"x"}'])(
    'are ignored if they are junk such as %s',
    (junk) => {
      storage.setItem(`deferred-uploads:${ID}`, junk);
      storage.setItem('deferred-uploads:../x', '{"name":"a","sizeBytes":1,"owner":"x"}');
      expect(keptBy('after').owners()).toEqual(new Set());
    },
  );

  test('are optional: the page works in a browser without storage', () => {
    const denied = new KeptUploads(() => {
      throw new DOMException('denied', 'SecurityError');
    }, 'first');
    expect([denied.owners(), denied.claim('gone')]).toEqual([new Set(), []]);
    expect(() => denied.write([line(ID)])).not.toThrow();
  });
});

class MapFileStore implements FileStore {
  readonly files = new Map<string, File>();
  isFull = false;
  tries = 0;
  async put(id: string, file: File): Promise<void> {
    this.tries += 1;
    if (this.isFull) throw new DOMException('no room', 'QuotaExceededError');
    this.files.set(id, file);
  }
  async get(id: string): Promise<File | null> {
    return this.files.get(id) ?? null;
  }
  async remove(id: string): Promise<void> {
    this.files.delete(id);
  }
  async ids(): Promise<string[]> {
    return [...this.files.keys()];
  }
}

describe('stored files', () => {
  test('are kept only until the server has all bytes', async () => {
    const store = new MapFileStore();
    const keeper = new FileKeeper(store, 0);
    const model = line(ID);
    expect(keeper.lacks(model)).toBe(true);
    keeper.follow([model]);
    await until(() => store.files.has(ID));
    expect(keeper.lacks(model)).toBe(false);
    model.progress = freshProgress(ID, { state: 'queued' });
    keeper.follow([model]);
    await until(() => store.files.size === 0);
    expect(keeper.lacks(model)).toBe(false);
  });

  test('do not include files whose upload finishes first', async () => {
    const store = new MapFileStore();
    const keeper = new FileKeeper(store, 20);
    const [quick, slow] = [line(ID), line(OTHER)];
    keeper.follow([quick, slow]);
    quick.phase = 'following';
    await until(() => store.files.has(OTHER));
    expect(store.files.has(ID)).toBe(false);
  });

  test('do not include a file that exceeds the quota, which is not tried again', async () => {
    const store = new MapFileStore();
    store.isFull = true;
    const keeper = new FileKeeper(store, 0);
    const model = line(ID);
    keeper.follow([model]);
    await until(() => store.tries === 1);
    store.isFull = false;
    const later = line(OTHER);
    keeper.follow([model, later]);
    await until(() => store.files.has(OTHER));
    expect([store.tries, store.files.has(ID), keeper.lacks(model)]).toEqual([2, false, true]);
  });

  test('are also removed if an earlier page stored them', async () => {
    const store = new MapFileStore();
    store.files.set(ID, new File([], 'photo.jpg'));
    const keeper = new FileKeeper(store, 0);
    keeper.found(ID);
    keeper.follow([]);
    await until(() => store.files.size === 0);
  });
});
