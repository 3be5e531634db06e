import { overriding } from '../../helpers/overriding.ts';
import { describe, expect, test } from '@jest/globals';
import { Transfers } from '../../../src/http/transfers.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { UploadRemoval, type RemovalParts } from '../../../src/intake/removal.ts';
import { silentLog, uploadIn } from '../../helpers/record-space.ts';
import { codeOf, freshId } from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake } from '../../helpers/intake-space.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

function build(more: Partial<RemovalParts> = {}) {
  return new UploadRemoval({
    records: space.records,
    storage: space.storage,
    transfers: new Transfers(),
    log: silentLog,
    ...more,
  });
}

async function storedUpload(state: 'receiving' | 'queued' | 'processing' | 'completed'): Promise<string> {
  const { id, fencingToken } = await uploadIn(space.records, state);
  await putObject(space.storage, originalKey(id, fencingToken), Buffer.from('x'));
  return id;
}

describe('cancel', () => {
  test.each(['receiving', 'queued', 'processing'] as const)(
    'stops a %s upload and removes its files',
    async (state) => {
      const id = await storedUpload(state);
      const removal = build();
      expect(await removal.cancel(id)).toMatchObject({ stopped: true, record: { id, state: 'cancelled' } });
      expect(space.files()).toEqual([]);
    },
  );

  test('does not change a final upload', async () => {
    const id = await storedUpload('completed');
    const removal = build();
    expect(await removal.cancel(id)).toMatchObject({ stopped: false, record: { state: 'completed', percent: 100 } });
    expect(space.files()).toHaveLength(1);
  });

  test('is applied even if the files cannot be removed now', async () => {
    const id = await storedUpload('queued');
    const removal = build({
      storage: overriding(space.storage, {
        list: () => {
          throw new Error('not now');
        },
      }),
    });
    expect(await removal.cancel(id)).toMatchObject({ stopped: true });
  });

  test('rejects with unknown_upload for an unknown upload, and with upload_gone for a deleted one', async () => {
    const removal = build();
    expect(await codeOf(removal.cancel(freshId()))).toBe('unknown_upload');
    const id = await storedUpload('queued');
    await removal.delete(id);
    expect(await codeOf(removal.cancel(id))).toBe('upload_gone');
  });
});

describe('cancel of an upload that begins at the same time', () => {
  function buildWith(afterwards: (id: string) => Promise<unknown>) {
    return build({
      records: overriding(space.records, {
        cancel: async (id) => {
          const outcome = await space.records.cancel(id);
          await afterwards(id);
          return outcome;
        },
      }),
    });
  }

  test('rejects with unknown_upload if the upload began after it', async () => {
    const removal = buildWith((id) => uploadIn(space.records, 'queued', { id }));
    expect(await codeOf(removal.cancel(freshId()))).toBe('unknown_upload');
  });

  test('returns the cancelled record if the upload was sent again after it', async () => {
    const id = await storedUpload('queued');
    const removal = buildWith(() => uploadIn(space.records, 'receiving', { id }));
    expect(await removal.cancel(id)).toMatchObject({ stopped: true, record: { state: 'cancelled' } });
  });
});

describe('delete', () => {
  test('ends the transfers of its files in this process, and no others', async () => {
    const [id, other] = [await storedUpload('completed'), await storedUpload('completed')];
    const transfers = new Transfers();
    const ended: string[] = [];
    for (const each of [id, other]) transfers.enter(each, () => ended.push(each));
    await build({ transfers }).delete(id);
    expect(ended).toEqual([id]);
  });

  test.each(['receiving', 'queued', 'processing', 'completed'] as const)(
    'of a %s upload leaves a tombstone and no file',
    async (state) => {
      const id = await storedUpload(state);
      const removal = build();
      await removal.delete(id);
      expect((await space.records.read(id))?.record).toMatchObject({
        deleted: true,
        state: state === 'completed' ? 'completed' : 'cancelled',
      });
      expect(space.files()).toEqual([]);
    },
  );

  test('rejects with upload_gone the second time, and with unknown_upload for an unknown upload', async () => {
    const removal = build();
    const id = await storedUpload('completed');
    await removal.delete(id);
    expect(await codeOf(removal.delete(id))).toBe('upload_gone');
    expect(await codeOf(removal.delete(freshId()))).toBe('unknown_upload');
  });
});
