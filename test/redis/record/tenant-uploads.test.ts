import { describe, expect, test } from '@jest/globals';
import { TenantUploads, type ListedUploads } from '../../../src/record/tenant-uploads.ts';
import type { UploadState } from '../../../src/wire/documents.ts';
import { applied, LARGE_RESULT, uploadIn, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';
import { callerOf } from '../../helpers/tenant-use.ts';

let space: RecordSpace;
let uploads: TenantUploads;

useRecords('test', (opened) => {
  space = opened;
  uploads = new TenantUploads(space);
});

const ALL: ListedUploads = { tenant: 'acme', state: undefined, sinceMs: undefined, after: undefined, limit: 100 };

async function create(count: number, state: UploadState = 'queued', tenant = 'acme') {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1)
    ids.push((await uploadIn(space.records, state, { caller: callerOf(tenant) })).id);
  return ids;
}

/** Moves all uploads to the same millisecond. */
async function createdAt(ms: number): Promise<string[]> {
  const key = space.keys.tenantUploads('acme');
  const ids = await space.connection.zrange(key, '0', '-1');
  for (const id of ids) await space.connection.zadd(key, String(ms), id);
  return await space.connection.zrevrange(key, '0', '-1');
}

/** Reads all pages, and returns the ids and the sizes of the pages. */
async function walk(asked: Partial<ListedUploads>, between: () => Promise<unknown> = async () => undefined) {
  const [ids, sizes]: [string[], number[]] = [[], []];
  for (let after = asked.after; ;) {
    const page = await uploads.list({ ...ALL, ...asked, after });
    ids.push(...page.reads.map(({ record }) => record.id));
    sizes.push(page.reads.length);
    if (page.next === undefined) return { ids, sizes };
    after = page.next;
    await between();
  }
}

describe('the list of a tenant', () => {
  test('has the newest upload first, and only those of the tenant', async () => {
    const ids = await create(3);
    await create(1, 'queued', 'other');
    await uploadIn(space.records, 'queued');
    expect((await walk({})).ids).toEqual(await sortedByCreation(ids));
    expect((await walk({ tenant: 'nobody' })).ids).toEqual([]);
  });

  test('continues at the same place while uploads are created, also within one millisecond', async () => {
    await create(5);
    const order = await createdAt(1_000);
    const { ids, sizes } = await walk({ limit: 2 }, () => create(1));
    expect([ids, sizes]).toEqual([order, [2, 2, 1]]);
  });

  test('has large results, but reads only those of its page', async () => {
    const [first = ''] = await create(1, 'processing');
    applied(await space.records.complete(first, 1, LARGE_RESULT));
    await create(3, 'failed');
    const read: string[] = [];
    const records = {
      read: async (id: string) => await space.records.read(id),
      readWithResult: async (id: string) => (read.push(id), await space.records.readWithResult(id)),
    };
    const listed = new TenantUploads({ ...space, records });
    await listed.list({ ...ALL, state: 'failed' });
    expect(read).toEqual([]);
    const page = await listed.list({ ...ALL, state: 'completed' });
    expect([page.reads.map(({ record }) => record.result), read]).toEqual([[LARGE_RESULT], [first]]);
  });

  test('ends without a next page if the last page is full', async () => {
    await create(4);
    expect((await walk({ limit: 2 })).sizes).toEqual([2, 2]);
  });

  test('can be limited to a state and to a time', async () => {
    await create(2);
    const [failed = ''] = await create(1, 'failed');
    expect((await walk({ state: 'failed' })).ids).toEqual([failed]);
    expect((await walk({ state: 'cancelled' })).ids).toEqual([]);
    await createdAt(5_000);
    expect((await walk({ sinceMs: 5_000 })).ids).toHaveLength(3);
    expect((await walk({ sinceMs: 5_001 })).ids).toEqual([]);
  });

  test('finds a rare state behind many other uploads', async () => {
    const [failed = ''] = await create(1, 'failed');
    const key = space.keys.tenantUploads('acme');
    const gone = Array.from({ length: 1_200 }, (_, index) => [String(9e15 - index), `gone-${index}`]);
    await space.connection.zadd(key, ...gone.flat());
    const { ids, sizes } = await walk({ state: 'failed' });
    expect([ids, sizes]).toEqual([[failed], [0, 1]]);
  });

  test('leaves out uploads that are deleted, expired, forgotten or of another tenant', async () => {
    const [deleted = '', expired = '', forgotten = '', moved = '', kept = ''] = await create(5, 'failed');
    applied(await space.records.delete(deleted));
    await space.connection.hset(space.keys.record(expired), 'expiresAt', '1');
    await space.records.forget(forgotten, 'p');
    await space.records.open({
      id: moved,
      fencingToken: 'f',
      fileName: 'a.jpg',
      totalBytes: 1,
      caller: callerOf('other'),
    });
    expect((await walk({})).ids).toEqual([kept]);
    expect((await walk({ tenant: 'other' })).ids).toEqual([moved]);
    const listed = await space.connection.zrange(space.keys.tenantUploads('acme'), '0', '-1');
    expect(listed.sort()).toEqual([expired, kept].sort());
  });
});

async function sortedByCreation(ids: readonly string[]): Promise<string[]> {
  const reads = await Promise.all(ids.map((id) => space.records.read(id)));
  const places = reads.flatMap((read) => (read === undefined ? [] : [read.record]));
  places.sort((one, other) => other.createdAtMs - one.createdAtMs || (one.id < other.id ? 1 : -1));
  return places.map(({ id }) => id);
}
