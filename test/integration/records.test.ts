import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { UploadState } from '../../src/wire/documents.ts';
import type { StoredVariant } from '../../src/record/record-fields.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { MAX_FAULTS } from '../../src/queue/contract.ts';
import {
  applied,
  newUpload,
  openRecordSpace,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';
import { sharedRedis } from '../helpers/shared-redis.ts';
import { eventually } from '../helpers/eventually.ts';

let space: RecordSpace;
let records: UploadRecords;

useRecords('test', (opened) => ({ records } = space = opened));

const VARIANT: StoredVariant = {
  name: '160',
  format: 'jpeg',
  width: 160,
  height: 120,
  size: 7,
  url: '/variants/p/160',
  key: 'a/b/c.jpeg',
  sha256: 'b'.repeat(64),
};

async function stateOf(id: string): Promise<UploadState | undefined> {
  return (await records.read(id))?.record.state;
}

test('a record marks that files may be left if a request or attempt has not completed the upload', async () => {
  const mayHaveOrphans = async (id: string) => (await records.read(id))?.record.mayHaveOrphans;
  const { id } = await uploadIn(records, 'processing');
  expect(await mayHaveOrphans(id)).toBe(false);
  applied(await records.begin(id));
  expect(await mayHaveOrphans(id)).toBe(true);
  const overtaken = await uploadIn(records, 'receiving');
  expect(await mayHaveOrphans(overtaken.id)).toBe(false);
  applied(await records.open(newUpload({ id: overtaken.id })));
  expect(await mayHaveOrphans(overtaken.id)).toBe(true);
  const refused = await uploadIn(records, 'receiving');
  applied(await records.reject(refused.id, refused.fencingToken, PROBLEM, { receivedBytes: 0, type: null }));
  expect(await mayHaveOrphans(refused.id)).toBe(false);
  applied(await records.open(newUpload({ id: refused.id })));
  expect(await mayHaveOrphans(refused.id)).toBe(true);
  expect(await mayHaveOrphans((await uploadIn(records, 'cancelled')).id)).toBe(true);
  const atWork = await uploadIn(records, 'processing');
  applied(await records.cancel(atWork.id));
  expect(await mayHaveOrphans(atWork.id)).toBe(true);
  expect(await mayHaveOrphans((await uploadIn(records, 'failed')).id)).toBe(true);
  const interrupted = await uploadIn(records, 'receiving');
  const found = { receivedBytes: 5, type: 'image/jpeg' };
  applied(await records.reject(interrupted.id, interrupted.fencingToken, PROBLEM, found));
  expect(await mayHaveOrphans(interrupted.id)).toBe(true);
  const requeued = await uploadIn(records, 'processing');
  applied(await records.requeue(requeued.id, 1));
  expect(await mayHaveOrphans(requeued.id)).toBe(true);
});

describe('the life of a record', () => {
  test('begins at version 1 in state receiving, without bytes', async () => {
    const upload = newUpload({ fileName: 'ü "你".jpg', totalBytes: null });
    const { version, record, restarted } = applied(await records.open(upload));
    expect([version, restarted]).toEqual([1, undefined]);
    expect(record).toMatchObject({
      id: upload.id,
      fencingToken: upload.fencingToken,
      fileName: 'ü "你".jpg',
      state: 'receiving',
      stage: 'receive',
      percent: 0,
      receivedBytes: 0,
      totalBytes: null,
      attempt: 0,
      type: null,
      sha256: null,
      stored: false,
      deleted: false,
      expiresAtMs: null,
    });
    expect((await records.read(upload.id))?.record).toEqual(record);
    expect(await records.idOf(record?.publicId ?? '')).toBe(upload.id);
    expect(await space.connection.pttl(space.keys.record(upload.id))).toBe(-1);
  });

  test('raises the version by one with every change, from the first byte to the result', async () => {
    const { id, fencingToken } = await uploadIn(records, 'receiving');
    const versions = [
      applied(await records.receive(id, fencingToken, 500, 1000)).version,
      applied(await records.enqueue(id, fencingToken, STORED)).version,
      applied(await records.begin(id)).version,
      applied(await records.advance(id, 1, 1, 'resize', 0.5)).version,
      applied(await records.advance(id, 1, 2, 'resize', 0.6, [VARIANT])).version,
      applied(await records.complete(id, 1, RESULT)).version,
    ];
    expect(versions).toEqual([2, 3, 4, 5, 6, 7]);
    expect((await records.read(id))?.record).toMatchObject({
      state: 'completed',
      stage: 'done',
      percent: 100,
      receivedBytes: 1000,
      totalBytes: 1000,
      stored: true,
      attempt: 1,
      type: 'image/jpeg',
      sha256: STORED.sha256,
      result: RESULT,
      variants: { 160: VARIANT },
    });
  });

  test('includes a place in the waiting set until an attempt begins', async () => {
    const first = await uploadIn(records, 'queued');
    const second = await uploadIn(records, 'queued');
    const positions = async () => [
      (await records.read(first.id))?.queuePosition,
      (await records.read(second.id))?.queuePosition,
    ];
    expect(new Set(await positions())).toEqual(new Set([1, 2]));
    await records.begin(first.id);
    expect(await positions()).toEqual([null, 1]);
    await records.cancel(second.id);
    expect(await space.connection.zcard(space.keys.waiting)).toBe(0);
  });

  test('continues after a requeue with the same percent and a new attempt number', async () => {
    const { id } = await uploadIn(records, 'processing');
    await records.advance(id, 1, 1, 'resize', 0.5);
    applied(await records.requeue(id, 1));
    expect(await records.read(id)).toMatchObject({
      queuePosition: 1,
      record: { state: 'queued', percent: 65, attempt: 1 },
    });
    expect(applied(await records.begin(id)).record).toMatchObject({
      state: 'processing',
      percent: 65,
      attempt: 2,
      phaseStartPercent: 65,
    });
  });

  test.each(['completed', 'failed', 'cancelled'] as const)(
    'sets the expiry of record and public id when the upload is %s',
    async (state) => {
      const beforeMs = Date.now();
      const { id } = await uploadIn(records, state);
      const read = await records.read(id);
      expect(read?.record.expiresAtMs).toBeGreaterThanOrEqual(beforeMs + 60_000);
      for (const key of [space.keys.record(id), space.keys.publicId(read?.record.publicId ?? '')]) {
        expect(await space.connection.pttl(key)).toBeGreaterThan(0);
      }
    },
  );

  test('sets no expiry while the upload is not final', async () => {
    for (const state of ['receiving', 'queued', 'processing'] as const) {
      const { id } = await uploadIn(records, state);
      expect([state, await space.connection.pttl(space.keys.record(id))]).toEqual([state, -1]);
      expect((await records.read(id))?.record.expiresAtMs).toBeNull();
    }
  });

  test('leaves no key after its retention', async () => {
    const brief = await openRecordSpace(await sharedRedis(), 1);
    const { id } = await uploadIn(brief.records, 'cancelled');
    await eventually('its end', async () => (await brief.records.read(id)) === undefined);
    expect(await brief.connection.keys(`${brief.keys.bullPrefix}:[rp]*:*`)).toEqual([]);
    await brief.close();
  });

  test('leaves only events, kinds and counts after forget', async () => {
    const { id } = await uploadIn(records, 'queued');
    await records.forget(id, (await records.read(id))?.record.publicId ?? '');
    const { fair, kinds, events, bullPrefix } = space.keys;
    expect((await space.connection.keys(`${bullPrefix}*`)).sort()).toEqual([kinds, `${fair}spare`, events]);
  });
});

describe('a later request with the same id', () => {
  test('takes over from a request that is still receiving, which is then fenced', async () => {
    const first = await uploadIn(records, 'receiving');
    const second = { ...first, fencingToken: randomUUID(), fileName: 'b.jpg' };
    expect(applied(await records.open(second)).record).toMatchObject({
      fileName: 'b.jpg',
      fencingToken: second.fencingToken,
      state: 'receiving',
      receivedBytes: 0,
    });
    expect(verdict(await records.receive(first.id, first.fencingToken, 900, 1000))).toBe('fenced');
    expect(verdict(await records.enqueue(first.id, first.fencingToken, STORED))).toBe('fenced');
    expect(verdict(await records.reject(first.id, first.fencingToken, PROBLEM, { receivedBytes: 1, type: null }))).toBe(
      'fenced',
    );
    expect(verdict(await records.enqueue(second.id, second.fencingToken, STORED))).toBe('applied');
  });

  test('does not lower the percent that the first had reached', async () => {
    const first = await uploadIn(records, 'receiving');
    await records.receive(first.id, first.fencingToken, 500, 1000);
    expect(applied(await records.open({ ...first, fencingToken: randomUUID() })).record?.percent).toBe(15);
  });

  test.each(['failed', 'cancelled'] as const)(
    'starts without old state after %s, with a new public id and no expiry',
    async (state) => {
      const first = await uploadIn(records, state);
      const before = (await records.read(first.id))?.record;
      const { restarted, record, version } = applied(await records.open({ ...first, fencingToken: randomUUID() }));
      expect(restarted).toBe(true);
      expect(version).toBeGreaterThan(before?.version ?? 0);
      expect(record).toMatchObject({
        state: 'receiving',
        percent: 0,
        error: null,
        result: null,
        sha256: null,
        type: null,
        variants: {},
        expiresAtMs: null,
      });
      // Browsers cache variants for ever, and must not show the variants of the earlier file.
      expect(record?.publicId).not.toBe(before?.publicId);
      expect([await records.idOf(before?.publicId ?? ''), await records.idOf(record?.publicId ?? '')]).toEqual([
        undefined,
        first.id,
      ]);
      expect(await space.connection.pttl(space.keys.record(first.id))).toBe(-1);
      expect(await space.connection.pttl(space.keys.publicId(record?.publicId ?? ''))).toBe(-1);
    },
  );

  test('fences an attempt of the previous life', async () => {
    const first = await uploadIn(records, 'processing');
    await records.cancel(first.id);
    const again = { ...first, fencingToken: randomUUID() };
    await records.open(again);
    await records.enqueue(again.id, again.fencingToken, STORED);
    expect(applied(await records.begin(again.id)).record?.attempt).not.toBe(first.attempt);
    expect(verdict(await records.complete(first.id, first.attempt, RESULT))).toBe('fenced');
  });

  test('may start an upload again that had used up its attempts', async () => {
    const first = await uploadIn(records, 'queued');
    await records.begin(first.id);
    applied(await records.requeue(first.id, 1, { faults: MAX_FAULTS, deaths: 3 }));
    expect(verdict(await records.begin(first.id))).toBe('exhausted');
    applied(await records.fail(first.id, undefined, PROBLEM));
    const again = { ...first, fencingToken: randomUUID() };
    applied(await records.open(again));
    applied(await records.enqueue(again.id, again.fencingToken, STORED));
    expect(applied(await records.begin(again.id)).record).toMatchObject({ faults: 0, deaths: 0 });
  });

  test.each([
    ['queued', 'state'],
    ['processing', 'state'],
    ['completed', 'final'],
  ] as const)('changes nothing if the upload is %s (%s)', async (state, refusal) => {
    const first = await uploadIn(records, state);
    const before = await records.read(first.id);
    const outcome = await records.open({ ...first, fencingToken: randomUUID() });
    expect(verdict(outcome)).toBe(refusal);
    expect(outcome.record).toEqual(before?.record);
    expect(await stateOf(first.id)).toBe(state);
  });
});
