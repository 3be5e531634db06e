import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Registry } from '../../../src/deferred/registry.ts';
import { followStoredBytes } from '../../../src/record/follow-bytes.ts';
import type { ProgressState } from '../../../src/record/progress.ts';
import { eventually } from '../../helpers/eventually.ts';
import { eventOf, FakeRecords, ID, openRegistry, recordOf } from './states.ts';

let records: FakeRecords;
let registry: Registry<ProgressState>;
let ended: number;
let release: () => void;

beforeEach(() => {
  records = new FakeRecords();
  registry = openRegistry();
  ended = 0;
});
afterEach(() => {
  release();
  expect(registry.size).toBe(0);
});

function follow(afterMs = 0): void {
  release = followStoredBytes({ records, registry }, ID, () => void (ended += 1), afterMs);
}

describe('a transfer of stored bytes', () => {
  test.each([
    ['deleted', { deleted: true, stored: false }],
    ['cancelled', { state: 'cancelled', stored: false }],
  ] as const)('ends when the upload is %s in another process', async (_, change) => {
    records.set(recordOf());
    follow();
    await eventually('the first read', () => records.reads === 1);
    registry.wake(ID, eventOf({ version: 8 }));
    expect(ended).toBe(0);
    registry.wake(ID, eventOf({ version: 9, ...change }));
    registry.wake(ID, eventOf({ version: 10, ...change }));
    expect([ended, registry.size]).toEqual([1, 0]);
  });

  test('ends if the upload was deleted before it was followed, or during a gap in the events', async () => {
    records.set(recordOf({ deleted: true, stored: false }));
    follow();
    await eventually('it to end', () => ended === 1);
    records.set(recordOf());
    follow();
    await eventually('the first read', () => records.reads === 2);
    records.set(recordOf({ deleted: true, stored: false }));
    registry.wakeAll();
    await eventually('it to end', () => ended === 2);
  });

  test('continues if Redis has lost the record, which may be restored', async () => {
    follow();
    await eventually('the first read', () => records.reads === 1);
    expect([ended, registry.size]).toEqual([0, 1]);
  });

  test('reads nothing if it ends at once', () => {
    follow(60_000);
    release();
    expect([records.reads, registry.size]).toEqual([0, 0]);
  });
});
