import { beforeEach, describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import type { ProgressList } from '../../../src/wire/documents.ts';
import { watchMany, type WatchedUpload } from '../../../src/record/watch-many.ts';
import type { ProgressWatchParts } from '../../../src/record/watch.ts';
import { complete, eventOf, FakeRecords, openRegistry, recordOf, timeOut } from './states.ts';

let records: FakeRecords;
let parts: ProgressWatchParts;

beforeEach(() => {
  records = new FakeRecords();
  parts = { records, registry: openRegistry() };
  for (const id of ['a', 'b', 'c']) records.set(recordOf({ id }));
});

const watch = async (...uploads: WatchedUpload[]) =>
  await watchMany(parts, { uploads, timeoutMs: 1000 }, (list) => list);
const at = (id: string, since: number | undefined = 7): WatchedUpload => ({ id, since });

describe('a page of uploads', () => {
  test('is answered at once with the changed uploads, in the requested order', async () => {
    const result = await watch(at('c', 6), at('a'), at('b', 8));
    expect(result.getResult()).toMatchObject({
      uploads: [
        { id: 'c', version: 7 },
        { id: 'b', version: 7 },
      ],
      timedOut: false,
    });
    complete(result);
  });

  test('counts an upload without a seen version as changed', async () => {
    const result = await watch(at('a'), { id: 'b', since: undefined });
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'b' }] });
    complete(result);
  });

  test('is held until one upload changes', async () => {
    const result = await watch(at('a'), at('b'));
    expect([result.hasResult(), parts.registry.size]).toEqual([false, 1]);
    records.set(recordOf({ id: 'b', version: 8 }));
    parts.registry.wake('b', eventOf({ id: 'b', version: 8 }));
    await turn();
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'b', version: 8 }], timedOut: false });
    complete(result);
    expect(parts.registry.size).toBe(0);
  });

  test('answers for unknown ids too if an event comes during the first read', async () => {
    const watching = watch({ id: 'a', since: undefined }, { id: 'none', since: undefined });
    parts.registry.wake('a', eventOf({ id: 'a', version: 8 }));
    const result = await watching;
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'a' }, { id: 'none' }] });
    complete(result);
  });

  test('is not answered by the event of a seen version', async () => {
    const result = await watch(at('a'), at('b'));
    const before = records.reads;
    parts.registry.wake('a', eventOf({ id: 'a', version: 7 }));
    await turn();
    expect([result.hasResult(), records.reads]).toEqual([false, before]);
    complete(result);
  });

  test('is not answered because of finished uploads that it has seen', async () => {
    records.set(recordOf({ id: 'a', state: 'completed', percent: 100 }));
    const result = await watch(at('a'), at('b'));
    expect(result.hasResult()).toBe(false);
    complete(result);
  });

  test('reads and answers an id that is given twice once', async () => {
    const result = await watch(at('a', 6), at('a', 7), at('b', 6), at('b', 6));
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'a' }, { id: 'b' }] });
    expect(records.reads).toBe(2);
    complete(result);
    const held = await watch(at('a'), at('a'));
    parts.registry.wake('a', eventOf({ id: 'a', version: 8 }));
    expect((held.getResult() as ProgressList).uploads).toHaveLength(1);
    complete(held);
  });

  test('is answered from the event, without a read', async () => {
    const result = await watch(at('a'), at('b'), at('c'));
    const before = records.reads;
    parts.registry.wake('b', eventOf({ id: 'b', version: 8, percent: 70 }));
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'b', version: 8, percent: 70 }], timedOut: false });
    await turn();
    expect(records.reads).toBe(before);
    complete(result);
  });

  test.each([
    ['queued, whose place no event has', recordOf({ id: 'b', state: 'queued', version: 8 })],
    ['older than the version seen, as after a restore', recordOf({ id: 'b', version: 2 })],
  ])('reads only the changed upload if the event has the state %s', async (_what, record) => {
    const result = await watch(at('a'), at('b'), at('c'));
    const before = records.reads;
    records.set(record, 4);
    parts.registry.wake('b', eventOf(record));
    await turn();
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'b', version: record.version }] });
    expect(records.reads).toBe(before + 1);
    complete(result);
  });

  test('reads all uploads again after a gap in the events', async () => {
    const result = await watch(at('a'), at('b'), at('c'));
    records.set(recordOf({ id: 'a', version: 8 }));
    records.set(recordOf({ id: 'c', version: 9 }));
    parts.registry.wakeAll();
    await turn();
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'a' }, { id: 'c' }] });
    complete(result);
  });

  test('is held while no upload changes, even if all are final', async () => {
    for (const id of ['a', 'b']) records.set(recordOf({ id, state: 'completed', percent: 100 }));
    const result = await watch(at('a'), at('b'));
    expect(result.hasResult()).toBe(false);
    complete(result);
  });
});

describe('an upload that cannot be watched', () => {
  test('is answered at once in its place, with the changed uploads', async () => {
    records.set(recordOf({ id: 'gone', deleted: true, state: 'cancelled' }));
    const error = new ServiceError('bad_upload_id', 'No id.');
    const result = await watch(at('none'), at('a'), at('gone'), { id: 'BAD', since: undefined, error }, at('b', 1));
    expect(result.getResult()).toMatchObject({
      uploads: [
        { id: 'none', error: { code: 'unknown_upload', status: 404, id: 'none' } },
        { id: 'gone', error: { code: 'upload_gone' } },
        { id: 'BAD', error: { code: 'bad_upload_id', id: 'BAD' } },
        { id: 'b', version: 7 },
      ],
    });
    complete(result);
  });

  test('is reported as cancelled if it is deleted during the wait', async () => {
    const result = await watch(at('a'), at('b'));
    records.set(recordOf({ id: 'a', deleted: true, state: 'cancelled', version: 8 }));
    parts.registry.wake('a', eventOf({ id: 'a', version: 8, state: 'cancelled', deleted: true }));
    await turn();
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'a', state: 'cancelled', final: true }] });
    complete(result);
  });

  test('fails the request if Redis is away, and leaves no waiter', async () => {
    records.fault = new ServiceError('service_unavailable', 'Away.');
    await expect(watch(at('a'))).rejects.toMatchObject({ code: 'service_unavailable' });
    expect(parts.registry.size).toBe(0);
  });
});

describe('a page of uploads whose time is up', () => {
  test('answers with an empty list', async () => {
    const result = await watch(at('a'), at('b'));
    expect(await timeOut(result)).toEqual({ uploads: [], timedOut: true });
    records.fault = new Error('Redis is away');
    expect(await timeOut(result)).toEqual({ uploads: [], timedOut: true });
    complete(result);
  });

  test('answers with the changes of the last read', async () => {
    const result = await watch(at('a'), at('b'));
    records.set(recordOf({ id: 'b', version: 9 }));
    expect(await timeOut(result)).toMatchObject({ uploads: [{ id: 'b', version: 9 }], timedOut: false });
    complete(result);
  });
});

describe('a page that waits with version 0 for an upload that has not begun', () => {
  const begin = { id: 'none', since: 0 };

  test('is answered when the upload begins', async () => {
    const result = await watch(at('a'), begin);
    expect(result.hasResult()).toBe(false);
    parts.registry.wake('none', eventOf({ id: 'none', version: 1, state: 'receiving' }));
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'none', version: 1 }], timedOut: false });
    complete(result);
  });

  test('is answered with other changed uploads, and leaves out an upload that has not begun', async () => {
    const result = await watch(at('a', 6), begin);
    expect(result.getResult()).toEqual({ uploads: [expect.objectContaining({ id: 'a' })], timedOut: false });
    complete(result);
  });

  test('is answered with the deletion of the upload, although both of its events were lost', async () => {
    const result = await watch(at('a'), begin);
    records.set(recordOf({ id: 'none', version: 2, state: 'cancelled', deleted: true }));
    expect(await timeOut(result)).toMatchObject({ uploads: [{ id: 'none', state: 'cancelled' }], timedOut: false });
    complete(result);
    const later = await watch(at('a'), begin);
    expect(later.getResult()).toMatchObject({ uploads: [{ id: 'none', error: { code: 'upload_gone' } }] });
    complete(later);
  });

  test('times out with unknown_upload in its place', async () => {
    const result = await watch(at('a'), begin);
    expect(await timeOut(result)).toEqual({
      uploads: [{ id: 'none', error: expect.objectContaining({ code: 'unknown_upload' }) }],
      timedOut: true,
    });
    complete(result);
  });

  test('is answered at once without a time to wait', async () => {
    const result = await watchMany(parts, { uploads: [at('a'), begin], timeoutMs: 0 }, (list) => list);
    expect(result.getResult()).toMatchObject({ uploads: [{ id: 'none', error: { code: 'unknown_upload' } }] });
    complete(result);
  });
});
