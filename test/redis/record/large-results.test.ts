import { describe, expect, test } from '@jest/globals';
import { toUpload } from '../../../src/record/upload-document.ts';
import { RecordChanger } from '../../../src/record/record-change.ts';
import { UploadRecords } from '../../../src/record/record.ts';
import type { Manifest } from '../../../src/storage/manifest.ts';
import { eventually } from '../../helpers/eventually.ts';
import { applied, LARGE_RESULT, RESULT, STORED, uploadIn, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';

let space: RecordSpace;

useRecords('test', (opened) => (space = opened));

async function completedWith(result: { kind: string }, records = space.records): Promise<string> {
  const { id, attempt } = await uploadIn(records, 'processing');
  applied(await records.complete(id, attempt, result));
  return id;
}

/** Returns the number of characters that a read of the whole record moves. */
async function sizeOfRead(id: string): Promise<number> {
  return JSON.stringify(await space.store.readHash(space.keys.record(id))).length;
}

/** Returns the keys of the installation that belong to one upload. */
async function keysOfUploads(): Promise<string[]> {
  const keys = await space.connection.keys(`${space.keys.bullPrefix}:*`);
  return keys.filter((key) => /:(record|result|public):/.test(key));
}

describe('a large result', () => {
  test('does not grow the reads of the record, and is read where it is needed', async () => {
    const [small, large] = [await completedWith(RESULT), await completedWith(LARGE_RESULT)];
    expect(await sizeOfRead(large)).toBeLessThan((await sizeOfRead(small)) + 100);
    expect((await space.records.read(large))?.record).toMatchObject({ state: 'completed', result: undefined });
    const read = await space.records.readWithResult(large);
    expect(read && toUpload(read)).toMatchObject({ state: 'completed', result: LARGE_RESULT });
  });

  test('does not grow the reply to a change that is rejected', async () => {
    const id = await completedWith(LARGE_RESULT);
    const outcome = await space.records.cancel(id);
    expect([outcome.applied, JSON.stringify(outcome).length < 2000]).toEqual([false, true]);
  });

  test('has 4097 bytes or more, even if it has fewer characters', async () => {
    const bytesWithout = JSON.stringify({ kind: 'note', text: '' }).length;
    const textOf = (bytes: number) => 'ü'.repeat((bytes - bytesWithout) / 2) + 'x'.repeat((bytes - bytesWithout) % 2);
    const ids = [];
    for (const bytes of [4096, 4097]) ids.push(await completedWith({ kind: 'note', text: textOf(bytes) } as never));
    const exist = ids.map(async (id) => await space.connection.exists(space.keys.result(id)));
    expect(await Promise.all(exist)).toEqual([0, 1]);
    for (const id of ids)
      expect((await space.records.readWithResult(id))?.record.result).toMatchObject({ kind: 'note' });
  });

  test('expires with its record', async () => {
    const id = await completedWith(LARGE_RESULT);
    const [record = 0, result = 0] = await Promise.all(
      [space.keys.record(id), space.keys.result(id)].map(async (key) => await space.connection.pttl(key)),
    );
    expect([record > 60_000, Math.abs(record - result) < 100]).toEqual([true, true]);
  });

  test.each(['its retention', 'its deletion'])('leaves no key of its upload after %s', async (end) => {
    const brief = new UploadRecords(space.store, space.keys, { retentionMs: 200 });
    const id = await completedWith(LARGE_RESULT, brief);
    expect(await keysOfUploads()).toContain(space.keys.result(id));
    if (end === 'its deletion') applied(await brief.delete(id));
    await eventually('no key of an upload', async () => (await keysOfUploads()).length === 0);
  });

  test('is removed by a deletion, and the tombstone does not name it', async () => {
    const id = await completedWith(LARGE_RESULT);
    const deleted = applied(await space.records.delete(id));
    expect(deleted.record).toMatchObject({ deleted: true, result: null });
    expect(await keysOfUploads()).not.toContain(space.keys.result(id));
    expect((await space.records.readWithResult(id))?.record).toMatchObject({ deleted: true, result: null });
  });

  test('leaves no key if every trace of the upload is removed', async () => {
    const id = await completedWith(LARGE_RESULT);
    const publicId = (await space.records.read(id))?.record.publicId ?? '';
    await space.records.forget(id, publicId);
    expect(await keysOfUploads()).toEqual([]);
  });

  test('is removed if the upload is restored from a later manifest', async () => {
    const id = await completedWith(LARGE_RESULT);
    const manifest: Manifest = {
      id,
      fencingToken: 'later',
      publicId: 'later',
      name: 'a.jpg',
      createdAt: new Date(Date.now() + 60_000).toISOString(),
      sequence: 1,
      ...STORED,
    };
    applied(await space.records.restore(manifest));
    expect(await keysOfUploads()).not.toContain(space.keys.result(id));
    expect((await space.records.readWithResult(id))?.record).toMatchObject({ state: 'queued', result: null });
  });

  test('is stored once if its change is sent again after a lost reply', async () => {
    const { id, attempt } = await uploadIn(space.records, 'processing');
    const runScript: typeof space.store.runScript = async (...call) => {
      await space.store.runScript(...call);
      return await space.store.runScript(...call);
    };
    const twice = new RecordChanger({ runScript }, space.keys, { retentionMs: 60_000 });
    const args = [attempt, JSON.stringify(LARGE_RESULT), '', 60_000, ''];
    const { version } = applied(await twice.run('complete', id, args));
    expect((await space.records.readWithResult(id))?.record).toMatchObject({ version, result: LARGE_RESULT });
  });

  test('that an older version has stored in the record is read as before', async () => {
    const id = await completedWith(RESULT);
    await space.connection.hset(space.keys.record(id), 'result', JSON.stringify(LARGE_RESULT));
    expect((await space.records.read(id))?.record.result).toEqual(LARGE_RESULT);
    expect((await space.records.readWithResult(id))?.record.result).toEqual(LARGE_RESULT);
  });

  test('whose key somebody has removed is null, and the upload stays completed', async () => {
    const id = await completedWith(LARGE_RESULT);
    await space.connection.del(space.keys.result(id));
    expect((await space.records.readWithResult(id))?.record).toMatchObject({ state: 'completed', result: null });
    expect((await space.records.readProgress(id))?.state.state).toBe('completed');
  });
});
