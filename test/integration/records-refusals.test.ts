import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { UploadState } from '../../src/wire/documents.ts';
import type { StoredVariant } from '../../src/record/record-fields.ts';
import type { ChangeOutcome } from '../../src/record/change-outcome.ts';
import type { RecordStore } from '../../src/record/record-change.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { MAX_DEATHS, MAX_FAULTS } from '../../src/queue/contract.ts';
import {
  applied,
  newUpload,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';

let space: RecordSpace;
let records: UploadRecords;

useRecords('test', (opened) => ({ records } = space = opened));

const VARIANT: StoredVariant = {
  name: '160',
  format: 'jpeg',
  width: 1,
  height: 1,
  size: 1,
  url: '/v',
  key: 'k',
  sha256: 'c',
};

interface Holder {
  id: string;
  fencingToken: string;
  attempt: number;
}

/** Every change except `open`, made by its rightful owner, and the states in which it may be made. */
const CHANGES: readonly [
  name: string,
  from: readonly UploadState[],
  make: (records: UploadRecords, holder: Holder) => Promise<ChangeOutcome>,
][] = [
  ['receive', ['receiving'], (it, { id, fencingToken }) => it.receive(id, fencingToken, 500, 1000)],
  ['enqueue', ['receiving'], (it, { id, fencingToken }) => it.enqueue(id, fencingToken, STORED)],
  [
    'reject',
    ['receiving'],
    (it, { id, fencingToken }) => it.reject(id, fencingToken, PROBLEM, { receivedBytes: 1, type: null }),
  ],
  ['begin', ['queued', 'processing'], (it, { id }) => it.begin(id)],
  ['advance', ['processing'], (it, { id, attempt }) => it.advance(id, attempt, 1, 'resize', 0.5)],
  [
    'advance with a file',
    ['processing'],
    (it, { id, attempt }) => it.advance(id, attempt, 1, 'resize', 0.5, [VARIANT]),
  ],
  ['complete', ['processing'], (it, { id, attempt }) => it.complete(id, attempt, RESULT)],
  ['fail', ['processing'], (it, { id, attempt }) => it.fail(id, attempt, PROBLEM)],
  ['fail of any attempt', ['queued', 'processing'], (it, { id }) => it.fail(id, undefined, PROBLEM)],
  ['requeue', ['processing'], (it, { id, attempt }) => it.requeue(id, attempt)],
  ['cancel', ['receiving', 'queued', 'processing'], (it, { id }) => it.cancel(id)],
  ['delete', ['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled'], (it, { id }) => it.delete(id)],
];

const STATES: readonly UploadState[] = ['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled'];
const FINAL: readonly UploadState[] = ['completed', 'failed', 'cancelled'];

describe.each(CHANGES)('the change %s', (_name, from, make) => {
  test.each(STATES)('in state %s is applied, or rejected without any effect', async (state) => {
    const holder = await uploadIn(records, state);
    const before = await records.read(holder.id);
    const outcome = await make(records, holder);
    const expected = from.includes(state) ? 'applied' : FINAL.includes(state) ? 'final' : 'state';
    expect(verdict(outcome)).toBe(expected);
    const after = await records.read(holder.id);
    if (outcome.applied)
      expect([outcome.version, after?.record.version]).toEqual([(before?.record.version ?? 0) + 1, outcome.version]);
    else expect([outcome.record, after?.record]).toEqual([before?.record, before?.record]);
  });

  test('is rejected without a record, and creates none', async () => {
    const holder = { ...newUpload(), attempt: 1 };
    expect(await make(records, holder)).toEqual({ applied: false, rejection: 'missing', record: undefined });
    expect(await records.read(holder.id)).toBeUndefined();
  });

  test('is rejected by a tombstone', async () => {
    const holder = await uploadIn(records, 'processing');
    await records.delete(holder.id);
    const before = await records.read(holder.id);
    expect(verdict(await make(records, holder))).toBe('deleted');
    expect(await records.read(holder.id)).toEqual({ ...before, nowMs: expect.any(Number) });
  });

  test('is applied once if its reply was lost and it is sent again', async () => {
    const holder = await uploadIn(records, from.includes('processing') ? 'processing' : (from[0] ?? 'queued'));
    const before = await records.read(holder.id);
    const outcome = applied(
      await make(new UploadRecords(losingReplies(space.store), space.keys, { retentionMs: 60_000 }), holder),
    );
    const after = await records.read(holder.id);
    expect([outcome.version, after?.record.version]).toEqual([(before?.record.version ?? 0) + 1, outcome.version]);
    expect(after?.record.attempt).toBe(_name === 'begin' ? holder.attempt + 1 : holder.attempt);
  });
});

/** Sends every change twice and returns only the second reply, as if the connection had broken in between. */
function losingReplies(store: RecordStore, between: () => Promise<unknown> = async () => undefined): RecordStore {
  return {
    async runScript(script, keys, args) {
      await store.runScript(script, keys, args);
      await between();
      return await store.runScript(script, keys, args);
    },
    readHash: (key) => store.readHash(key),
    readFieldsOf: (keys, names) => store.readFieldsOf(keys, names),
    get: (key) => store.get(key),
  };
}

describe('open', () => {
  test('is applied once if its reply was lost and it is sent again', async () => {
    const twice = new UploadRecords(losingReplies(space.store), space.keys, { retentionMs: 60_000 });
    const upload = newUpload();
    expect(applied(await twice.open(upload)).version).toBe(1);
    await records.cancel(upload.id);
    expect(applied(await twice.open(upload))).toMatchObject({ version: 3, restarted: true });
  });

  test('is rejected when it is sent again after the upload that it began was cancelled', async () => {
    const upload = newUpload();
    const store = losingReplies(space.store, async () => await records.cancel(upload.id));
    const outcome = await new UploadRecords(store, space.keys, { retentionMs: 60_000 }).open(upload);
    expect([verdict(outcome), outcome.record?.state, outcome.record?.version]).toEqual(['final', 'cancelled', 2]);
  });

  test('is rejected by a tombstone', async () => {
    const { id } = await uploadIn(records, 'completed');
    await records.delete(id);
    const outcome = await records.open({ ...newUpload(), id });
    expect([verdict(outcome), outcome.record?.deleted]).toEqual(['deleted', true]);
  });
});

describe('a change that ends an upload', () => {
  test.each([
    ['a cancel', (it: UploadRecords, id: string) => it.cancel(id)],
    ['a failure without an attempt', (it: UploadRecords, id: string) => it.fail(id, undefined, PROBLEM)],
  ])('(%s) does not affect the new life of the upload when it is sent again', async (_, end) => {
    const { id } = await uploadIn(records, 'queued');
    const sendAgain = async () => {
      const upload = applied(await records.open({ ...newUpload(), id })).record;
      await records.enqueue(id, upload?.fencingToken ?? '', STORED);
    };
    await end(new UploadRecords(losingReplies(space.store, sendAgain), space.keys, { retentionMs: 60_000 }), id);
    expect((await records.read(id))?.record).toMatchObject({ state: 'queued', error: null });
    expect(applied(await records.cancel(id)).record?.state).toBe('cancelled');
  });
});

describe('fences', () => {
  test.each(CHANGES.filter(([, from]) => from.join() === 'receiving'))(
    'reject %s with another fencing token',
    async (_name, _from, make) => {
      const holder = await uploadIn(records, 'receiving');
      expect(verdict(await make(records, { ...holder, fencingToken: randomUUID() }))).toBe('fenced');
      expect(verdict(await make(records, holder))).toBe('applied');
    },
  );

  test.each(CHANGES.filter(([name, from]) => from.join() === 'processing' && name !== 'begin'))(
    'reject %s of an attempt that was overtaken',
    async (_name, _from, make) => {
      const holder = await uploadIn(records, 'processing');
      const next = applied(await records.begin(holder.id)).record?.attempt ?? 0;
      expect(verdict(await make(records, holder))).toBe('fenced');
      expect(verdict(await make(records, { ...holder, attempt: next + 1 }))).toBe('fenced');
      expect(verdict(await make(records, { ...holder, attempt: next }))).toBe('applied');
    },
  );

  test('reject a late or repeated report, which does not change the percent', async () => {
    const { id } = await uploadIn(records, 'processing');
    applied(await records.advance(id, 1, 5, 'resize', 0.5));
    expect(verdict(await records.advance(id, 1, 5, 'resize', 0.9))).toBe('fenced');
    expect(verdict(await records.advance(id, 1, 4, 'inspect', 0.9))).toBe('fenced');
    expect((await records.read(id))?.record).toMatchObject({ percent: 65, stage: 'resize' });
  });

  test('let a new attempt count its reports from 1, and never lower the percent', async () => {
    const { id } = await uploadIn(records, 'processing');
    applied(await records.advance(id, 1, 9, 'resize', 0.5));
    applied(await records.begin(id));
    applied(await records.advance(id, 2, 1, 'inspect', 0.1));
    expect((await records.read(id))?.record).toMatchObject({ percent: 65, stage: 'inspect', attempt: 2 });
  });

  test('count a death if an attempt begins while another one runs, and none after a requeue', async () => {
    const { id } = await uploadIn(records, 'queued');
    const begin = async () => applied(await records.begin(id)).record;
    expect(await begin()).toMatchObject({ attempt: 1, deaths: 0 });
    expect(await begin()).toMatchObject({ attempt: 2, deaths: 1 });
    applied(await records.requeue(id, 2));
    expect(await begin()).toMatchObject({ attempt: 3, deaths: 1, faults: 0 });
    applied(await records.requeue(id, 3, { faults: 1 }));
    expect(await begin()).toMatchObject({ attempt: 4, deaths: 1, faults: 1 });
  });

  test('allow any number of requeues by processes that stop', async () => {
    const { id } = await uploadIn(records, 'queued');
    for (let attempt = 1; attempt <= MAX_DEATHS + MAX_FAULTS; attempt++) {
      applied(await records.begin(id));
      applied(await records.requeue(id, attempt));
    }
    expect(verdict(await records.begin(id))).toBe('applied');
  });

  test.each(['deaths', 'faults'] as const)('reject an attempt after the maximum of %s', async (count) => {
    const { id } = await uploadIn(records, 'processing');
    applied(await records.requeue(id, 1, { faults: MAX_FAULTS - 1 }));
    for (let deaths = 0; deaths < MAX_DEATHS; deaths++) applied(await records.begin(id));
    if (count === 'faults') applied(await records.requeue(id, 1 + MAX_DEATHS, { faults: MAX_FAULTS }));
    const before = await records.read(id);
    expect(verdict(await records.begin(id))).toBe('exhausted');
    expect(await records.read(id)).toEqual({ ...before, nowMs: expect.any(Number) });
    expect(verdict(await records.fail(id, undefined, PROBLEM))).toBe('applied');
  });
});

describe('a tombstone', () => {
  test('keeps the outcome, nothing of the file, and expires', async () => {
    const { id } = await uploadIn(records, 'completed');
    applied(await records.delete(id));
    expect((await records.read(id))?.record).toMatchObject({
      state: 'completed',
      deleted: true,
      stored: false,
      fileName: '',
      result: null,
      error: null,
      variants: {},
      sha256: null,
      type: null,
    });
    expect(await space.connection.pttl(space.keys.record(id))).toBeGreaterThan(0);
  });

  test('of running work is cancelled, and leaves the waiting set', async () => {
    const { id } = await uploadIn(records, 'queued');
    applied(await records.delete(id));
    expect(await records.read(id)).toMatchObject({
      queuePosition: null,
      record: { state: 'cancelled', deleted: true },
    });
  });
});
