import { beforeEach, describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import type { Progress } from '../../../src/wire/documents.ts';
import { readExisting } from '../../../src/record/read-existing.ts';
import { EarlyWatch } from '../../../src/record/early-watch.ts';
import {
  watchProgress,
  watchStoredUntilFinal,
  watchUntilFinal,
  type ProgressWatchParts,
  type WatchParts,
} from '../../../src/record/watch.ts';
import { complete, eventOf, FakeRecords, ID, openRegistry, recordOf, timeOut } from './states.ts';

let records: FakeRecords;
let parts: WatchParts & ProgressWatchParts;

beforeEach(() => {
  records = new FakeRecords();
  parts = { records, registry: openRegistry() };
});

const watch = async (...seenVersions: number[]) =>
  await watchProgress(parts, { id: ID, seenVersions, timeoutMs: 1000 }, (progress) => progress);

describe('a watch of one upload', () => {
  test.each([
    ['without a version seen', {}, undefined],
    ['with an older version seen', {}, 6],
    ['with a newer version seen, as after a restore', {}, 9],
    ['with the final version seen', { state: 'completed', percent: 100 }, 7],
  ] as const)('answers at once %s', async (_when, more, since) => {
    records.set(recordOf(more));
    const result = await (since === undefined ? watch() : watch(since));
    expect(result.getResult()).toMatchObject({ id: ID, version: 7, timedOut: false });
    complete(result);
  });

  test('waits with the seen version until an event has another one', async () => {
    records.set(recordOf());
    const result = await watch(7);
    expect(result.hasResult()).toBe(false);
    parts.registry.wake(ID, eventOf({ version: 8, percent: 70 }));
    expect(result.getResult()).toMatchObject({ version: 8, percent: 70, timedOut: false, queuePosition: null });
    expect(records.reads).toBe(1);
    complete(result);
  });

  test('needs no read if the seen version is known from an event', async () => {
    const result = await watchProgress(
      { ...parts, knownState: () => eventOf() },
      { id: ID, seenVersions: [7], timeoutMs: 1000 },
      (progress) => progress,
    );
    expect([result.hasResult(), records.reads]).toEqual([false, 0]);
    parts.registry.wake(ID, eventOf({ version: 8 }));
    expect(result.getResult()).toMatchObject({ version: 8 });
    complete(result);
  });

  test('reads the record if another version is known from an event', async () => {
    records.set(recordOf({ version: 8 }));
    const result = await watchProgress(
      { ...parts, knownState: () => eventOf({ version: 8 }) },
      { id: ID, seenVersions: [7], timeoutMs: 1000 },
      (progress) => progress,
    );
    expect([result.getResult(), records.reads]).toMatchObject([{ version: 8 }, 1]);
    complete(result);
  });

  test('is not ended by a late or repeated event of the seen version', async () => {
    records.set(recordOf());
    const result = await watch(7);
    parts.registry.wake(ID, eventOf({ version: 7 }));
    parts.registry.wake(ID, eventOf({ version: 6 }));
    await turn();
    expect(result.hasResult()).toBe(false);
    complete(result);
  });

  test('reads the record of a queued upload, because events have no position', async () => {
    records.set(recordOf());
    const result = await watch(7);
    records.set(recordOf({ state: 'queued', version: 8 }), 3);
    parts.registry.wake(ID, eventOf({ state: 'queued', version: 8 }));
    await turn();
    expect(result.getResult()).toMatchObject({ state: 'queued', version: 8, queuePosition: 3 });
    complete(result);
  });

  test('reads the record after an event with an older version', async () => {
    records.set(recordOf());
    const result = await watch(7);
    records.set(recordOf({ version: 2 }));
    parts.registry.wake(ID, eventOf({ version: 2 }));
    await turn();
    expect(result.getResult()).toMatchObject({ version: 2 });
    complete(result);
  });

  test('times out with the present state and timedOut', async () => {
    records.set(recordOf());
    const result = await watch(7);
    expect(await timeOut(result)).toMatchObject({ version: 7, timedOut: true });
    complete(result);
  });

  test('finds a change without an event at the last read', async () => {
    records.set(recordOf());
    const result = await watch(7);
    records.set(recordOf({ version: 8 }));
    expect(await timeOut(result)).toMatchObject({ version: 8, timedOut: false });
    complete(result);
  });

  test('answers with the last state if Redis is away at the last read', async () => {
    records.set(recordOf());
    const result = await watch(7);
    records.fault = new Error('Redis is away');
    expect(await timeOut(result)).toMatchObject({ version: 7, percent: 65, timedOut: true });
    complete(result);
  });

  test('answers a waiting client with the deletion', async () => {
    records.set(recordOf());
    const [byEvent, byRead] = await Promise.all([watch(7), watch(7)]);
    records.set(recordOf({ state: 'cancelled', version: 8, deleted: true }));
    expect(await timeOut(byRead)).toMatchObject({ state: 'cancelled', final: true });
    parts.registry.wake(ID, eventOf({ state: 'cancelled', version: 8, deleted: true }));
    expect(byEvent.getResult()).toMatchObject({ state: 'cancelled', final: true });
    for (const result of [byEvent, byRead]) complete(result);
  });

  test.each([
    ['unknown_upload', undefined],
    ['upload_gone', recordOf({ deleted: true, state: 'cancelled' })],
    ['upload_gone', recordOf({ state: 'completed', expiresAtMs: 1 })],
  ])('rejects with %s if there is no upload, and leaves no waiter', async (code, record) => {
    if (record !== undefined) records.set(record);
    await expect(watch()).rejects.toMatchObject({ code, id: ID });
    await expect(readExisting(records, ID)).rejects.toMatchObject({ code });
    expect(parts.registry.size).toBe(0);
  });
});

describe('a watch until all are final', () => {
  const other = 'other';
  const watchAll = async () =>
    await watchUntilFinal(parts, { ids: [ID, other], timeoutMs: 1000 }, (reads, timedOut) => ({
      states: reads.map(({ record }) => record.state),
      timedOut,
    }));

  beforeEach(() => {
    records.set(recordOf());
    records.set(recordOf({ id: other }));
  });

  test('answers in the requested order when the last upload is final', async () => {
    const result = await watchAll();
    records.set(recordOf({ id: other, state: 'failed' }));
    parts.registry.wake(other, eventOf({ id: other, state: 'failed' }));
    await turn();
    expect(result.hasResult()).toBe(false);
    records.set(recordOf({ state: 'completed' }));
    parts.registry.wake(ID, eventOf({ state: 'completed' }));
    await turn();
    expect(result.getResult()).toEqual({ states: ['completed', 'failed'], timedOut: false });
    complete(result);
  });

  test('reads nothing for an event that is not final', async () => {
    const result = await watchAll();
    parts.registry.wake(ID, eventOf({ version: 8 }));
    await turn();
    expect(records.reads).toBe(2);
    complete(result);
  });

  test('times out with the present states, or the last ones if Redis is away', async () => {
    const result = await watchAll();
    records.set(recordOf({ id: other, state: 'completed' }));
    expect(await timeOut(result)).toEqual({ states: ['processing', 'completed'], timedOut: true });
    records.fault = new Error('Redis is away');
    expect(await timeOut(result)).toEqual({ states: ['processing', 'completed'], timedOut: true });
    complete(result);
  });

  test('rejects with unknown_upload if one is unknown, and leaves no waiter', async () => {
    records.now.delete(other);
    await expect(watchAll()).rejects.toMatchObject({ code: 'unknown_upload', id: other });
    expect(parts.registry.size).toBe(0);
  });
});

describe('a watch of stored uploads', () => {
  const known = [{ record: recordOf({ state: 'queued', version: 2 }), queuePosition: 1, nowMs: 5000 }];
  const watchStored = async () =>
    await watchStoredUntilFinal(
      parts,
      { ids: [ID], timeoutMs: 1000, known, notHeld: () => undefined },
      (reads, timedOut) => ({ states: reads.map(({ record }) => record.state), timedOut }),
    );

  test.each([
    ['Redis is away at the first read', new ServiceError('service_unavailable', 'Away.')],
    ['Redis has lost the record', undefined],
  ])('is held, and answered at the timeout as last known, if %s', async (_when, fault) => {
    records.fault = fault;
    const result = await watchStored();
    expect(result.hasResult()).toBe(false);
    expect(await timeOut(result)).toEqual({ states: ['queued'], timedOut: true });
    complete(result);
    expect(parts.registry.size).toBe(0);
  });

  describe('that was begun before they were queued', () => {
    const open = async (early: EarlyWatch, last = known) => {
      const asked = { ids: [ID], timeoutMs: 1000, known: last, notHeld: () => undefined };
      const isCurrent = (ids: readonly string[]) => early.isCurrent(ids);
      const result = await watchStoredUntilFinal(parts, { ...asked, isCurrent }, ([read]) => read?.record.state);
      early.release();
      return result;
    };

    test('needs no first read, and is answered by the final event', async () => {
      const early = new EarlyWatch(parts.registry);
      early.begin(ID);
      parts.registry.wake(ID, eventOf({ state: 'processing', version: 2 }));
      records.fault = new Error('not to be read');
      const result = await open(early);
      records.fault = undefined;
      records.set(recordOf({ state: 'completed', version: 3 }));
      parts.registry.wake(ID, eventOf({ state: 'completed', version: 3 }));
      await turn();
      expect(result.getResult()).toBe('completed');
      complete(result);
      expect(parts.registry.size).toBe(0);
    });

    test('begins with a read if one of them was final already', async () => {
      const early = new EarlyWatch(parts.registry);
      early.begin(ID);
      const record = recordOf({ state: 'completed', version: 3 });
      records.set(record);
      const result = await open(early, [{ record, queuePosition: 1, nowMs: 5000 }]);
      expect(result.getResult()).toBe('completed');
      complete(result);
    });

    test.each([
      ['a final event came', () => parts.registry.wake(ID, eventOf({ state: 'completed', version: 3 }))],
      ['events may be lost', () => parts.registry.wakeAll()],
    ])('are read at first if %s before the wait', async (_when, wake) => {
      const early = new EarlyWatch(parts.registry);
      early.begin(ID);
      wake();
      records.set(recordOf({ state: 'completed', version: 3 }));
      const result = await open(early);
      expect(result.getResult()).toBe('completed');
      complete(result);
    });
  });

  test('is answered by its final event although the first read failed', async () => {
    records.fault = new ServiceError('service_unavailable', 'Away.');
    const result = await watchStored();
    records.fault = undefined;
    records.set(recordOf({ state: 'completed', version: 3 }));
    parts.registry.wake(ID, eventOf({ state: 'completed', version: 3 }));
    await turn();
    expect(result.getResult()).toEqual({ states: ['completed'], timedOut: false });
    complete(result);
  });
});

test('a watch passes its document to the function `shape`', async () => {
  records.set(recordOf());
  const shaped: Progress[] = [];
  complete(await watchProgress(parts, { id: ID, seenVersions: [], timeoutMs: 0 }, (progress) => shaped.push(progress)));
  expect(Object.keys(shaped[0] ?? {})).toEqual([
    'id',
    'state',
    'version',
    'percent',
    'stage',
    'bytes',
    'attempt',
    'queuePosition',
    'etaMs',
    'updatedAt',
    'final',
    'timedOut',
    'links',
  ]);
});

describe('a watch with version 0 of an upload that has not begun', () => {
  test('is answered with the first event', async () => {
    const result = await watch(0);
    expect(result.hasResult()).toBe(false);
    parts.registry.wake(ID, eventOf({ version: 1, state: 'receiving' }));
    expect(result.getResult()).toMatchObject({ version: 1, state: 'receiving', timedOut: false });
    complete(result);
  });

  test('finds at the last read an upload whose first event was lost', async () => {
    const result = await watch(0);
    records.set(recordOf({ version: 1 }));
    expect(await timeOut(result)).toMatchObject({ version: 1, timedOut: false });
    complete(result);
  });

  test('is answered with the deletion of the upload, although both of its events were lost', async () => {
    const [woken, timedOut] = [await watch(0), await watch(0)];
    records.set(recordOf({ version: 2, state: 'cancelled', deleted: true }));
    expect(await timeOut(timedOut)).toMatchObject({ version: 2, state: 'cancelled', final: true, timedOut: false });
    parts.registry.wakeAll();
    await turn();
    expect(woken.getResult()).toMatchObject({ version: 2, state: 'cancelled', final: true });
    complete(woken);
    complete(timedOut);
    await expect(watch(0)).rejects.toMatchObject({ code: 'upload_gone' });
  });

  test('times out with unknown_upload', async () => {
    const result = await watch(0);
    await expect(timeOut(result)).rejects.toMatchObject({ code: 'unknown_upload', id: ID });
    complete(result);
  });

  test('times out with service_unavailable if Redis is away at the last read', async () => {
    const result = await watch(0);
    records.fault = new Error('Redis is away');
    await expect(timeOut(result)).rejects.toMatchObject({ code: 'service_unavailable', id: ID });
    complete(result);
  });

  test('rejects with unknown_upload at once if another version was seen', async () => {
    await expect(watch(3)).rejects.toMatchObject({ code: 'unknown_upload' });
  });
});
