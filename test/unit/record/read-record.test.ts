import { describe, expect, test } from '@jest/globals';
import { readProgressOf, readRecordsOf, readWithResultsOf, type RecordReads } from '../../../src/record/read-record.ts';
import { PROGRESS_FIELDS, type RecordFields } from '../../../src/record/record-fields.ts';
import { ID } from './states.ts';

const LEAST = { version: '1', percent: '30', updatedAt: '5', phaseStartedAt: '5' };

/**
 * Makes a Redis with this content at each read, in order. The last one is repeated. `rank` is read just after the
 * fields.
 */
function readsOf(...moments: { state?: string; rank: number | null }[]): RecordReads & { count: () => number } {
  let reads = 0;
  let last: { state?: string; rank: number | null } = { rank: null };
  const next = () => {
    last = moments[Math.min(reads, moments.length - 1)] ?? last;
    reads += 1;
    const fields: RecordFields = last.state === undefined ? {} : { ...LEAST, state: last.state };
    return fields;
  };
  return {
    keys: { record: (id) => id, result: (id) => `result:${id}`, fair: 'fair' },
    nowMs: () => 0,
    count: () => reads,
    store: {
      readHash: async () => next(),
      readFieldsOf: async (keys) =>
        keys.map(() => {
          const fields = next();
          return PROGRESS_FIELDS.map((name) => fields[name] ?? null);
        }),
      runScript: async (_script, _keys, [, ...ids]) => ids.map(() => last.rank),
      get: async () => null,
    },
  };
}

const READERS = [
  [
    'whole',
    async (reads: RecordReads) =>
      await readRecordsOf(reads, [ID]).then(
        ([found]) =>
          !(found instanceof Error) && found && { state: found.record.state, queuePosition: found.queuePosition },
      ),
  ],
  [
    'for its progress',
    async (reads: RecordReads) =>
      await readProgressOf(reads, [ID]).then(
        ([found]) =>
          !(found instanceof Error) && found && { state: found.state.state, queuePosition: found.queuePosition },
      ),
  ],
] as const;

test.each(READERS)('reads the position of a waiting upload (%s)', async (_how, read) => {
  const reads = readsOf({ state: 'queued', rank: 2 });
  expect([await read(reads), reads.count()]).toEqual([{ state: 'queued', queuePosition: 3 }, 1]);
});

test.each(READERS)(
  'a record read %s is read again if a worker took it before its place was read',
  async (_how, read) => {
    const reads = readsOf({ state: 'queued', rank: null }, { state: 'processing', rank: null });
    expect([await read(reads), reads.count()]).toEqual([{ state: 'processing', queuePosition: null }, 2]);
  },
);

test.each(READERS)('stops reading a queued record that has no position (%s)', async (_how, read) => {
  const reads = readsOf({ state: 'queued', rank: null });
  expect(await read(reads)).toEqual({ state: 'queued', queuePosition: null });
  expect(reads.count()).toBeLessThan(10);
});

test.each(READERS)('returns undefined for an unknown id (%s)', async (_how, read) => {
  expect(await read(readsOf({ rank: null }))).toBeUndefined();
});

describe('a result with a key of its own', () => {
  const COMPLETED = { ...LEAST, state: 'completed', resultBytes: '9999' };

  /** Makes a Redis that has these fields at each read of the record, in order, and this result. */
  function redisWith(moments: RecordFields[], result: string | null) {
    const asked: string[] = [];
    const readHash = async (key: string) => {
      asked.push(key);
      return (moments.length > 1 ? moments.shift() : moments[0]) ?? {};
    };
    const get = async (key: string) => {
      asked.push(key);
      return result;
    };
    const { keys, nowMs, store } = readsOf({ rank: null });
    return { asked, keys, nowMs, store: { ...store, readHash, get } };
  }

  test('is read after the record', async () => {
    const reads = redisWith([COMPLETED], '{"kind":"note"}');
    expect(await readWithResultsOf(reads, [ID])).toMatchObject([{ record: { result: { kind: 'note' } } }]);
    expect(reads.asked).toEqual([ID, `result:${ID}`]);
  });

  test('is not read with the record by others', async () => {
    const reads = redisWith([COMPLETED], '{"kind":"note"}');
    const [read] = await readRecordsOf(reads, [ID]);
    expect([read !== undefined && 'record' in read && read.record.result, reads.asked]).toEqual([undefined, [ID]]);
  });

  test('is not missed if the upload is deleted between both reads: the record is read again', async () => {
    const reads = redisWith([COMPLETED, { ...LEAST, state: 'completed', deleted: '1' }], null);
    expect(await readWithResultsOf(reads, [ID])).toMatchObject([{ record: { deleted: true, result: null } }]);
    expect(reads.asked).toEqual([ID, `result:${ID}`, ID]);
  });

  test('is null after a few reads if somebody has removed its key, and the state stays', async () => {
    const reads = redisWith([COMPLETED], null);
    expect(await readWithResultsOf(reads, [ID])).toMatchObject([{ record: { state: 'completed', result: null } }]);
    expect(reads.asked.length).toBeLessThan(10);
  });
});
