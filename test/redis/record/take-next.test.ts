import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCaller, type Lane } from '../../../src/access/caller.ts';
import { OTHER_KIND } from '../../../src/queue/contract.ts';
import type { QueueLimits } from '../../../src/record/record-change.ts';
import { UploadRecords } from '../../../src/record/record.ts';
import {
  applied,
  newUpload,
  PROBLEM,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';

let space: RecordSpace;
let records: UploadRecords;
let permits: number;

useRecords('test', (opened) => {
  ({ records } = space = opened);
  permits = 0;
});

interface Flow {
  tenant: string;
  lane?: Lane;
  weight?: number;
}

const LIMITS: QueueLimits = { capacity: 100_000, discards: false, perAddress: 0 };

async function receiving({ tenant, lane = 'live', weight = 1 }: Flow): Promise<{ id: string; fencingToken: string }> {
  const upload = newUpload({ caller: { ...openCaller, via: 'key', tenant, lane, weight } });
  applied(await records.open(upload));
  return upload;
}

async function queued(flow: Flow, limits = LIMITS): Promise<string> {
  const { id, fencingToken } = await receiving(flow);
  applied(await records.enqueue(id, fencingToken, STORED, limits));
  return id;
}

async function queuedMany(count: number, flow: Flow): Promise<string[]> {
  const ids: string[] = [];
  for (let upload = 0; upload < count; upload++) ids.push(await queued(flow));
  return ids;
}

/** Takes the next upload. Undefined if none waits. */
async function take(kind = OTHER_KIND): Promise<string | undefined> {
  permits += 1;
  const taken = await records.take({ kind, id: String(permits) });
  return taken.nothing ? undefined : applied(taken.outcome).record?.id;
}

async function takeMany(count: number): Promise<(string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for (let upload = 0; upload < count; upload++) ids.push(await take());
  return ids;
}

async function positionOf(id: string): Promise<number | null | undefined> {
  return (await records.read(id))?.queuePosition;
}

/** Counts how many of the uploads were taken. */
const among = (taken: readonly (string | undefined)[], ids: readonly string[]): number =>
  taken.filter((id) => id !== undefined && ids.includes(id)).length;

describe('the order of uploads', () => {
  test('is first in, first out within one tenant', async () => {
    const ids = await queuedMany(5, { tenant: 'a' });
    expect(await Promise.all(ids.map(positionOf))).toEqual([1, 2, 3, 4, 5]);
    expect(await takeMany(6)).toEqual([...ids, undefined]);
  });

  test('takes the only upload of a tenant within two turns while another tenant has hundreds', async () => {
    await queuedMany(300, { tenant: 'a' });
    await takeMany(5);
    const photo = await queued({ tenant: 'b' });
    expect(await positionOf(photo)).toBeLessThanOrEqual(2);
    expect(await takeMany(2)).toContain(photo);
  });

  test('serves tenants in proportion to their weights', async () => {
    const light = await queuedMany(100, { tenant: 'light', weight: 1 });
    const heavy = await queuedMany(100, { tenant: 'heavy', weight: 3 });
    const taken = await takeMany(80);
    expect([among(taken, light), among(taken, heavy)]).toEqual([20, 60]);
  });

  test('takes ten uploads of the lane live for each one of the lane batch, so batch never starves', async () => {
    const batch = await queuedMany(4, { tenant: 'a', lane: 'batch' });
    const live = await queuedMany(20, { tenant: 'a', lane: 'live' });
    const taken = [];
    for (let upload = 0; upload < 44; upload++) {
      taken.push(await take());
      live.push(await queued({ tenant: 'a', lane: 'live' }));
    }
    expect([among(taken, batch), among(taken, live)]).toEqual([4, 40]);
  });

  test('takes tenants whose uploads are equally due in the order of their arrival', async () => {
    const ids = [await queued({ tenant: 'z' }), await queued({ tenant: 'a' }), await queued({ tenant: 'm' })];
    expect(await takeMany(3)).toEqual(ids);
  });

  test('gives a tenant no credit for the time in which it had no uploads', async () => {
    await queuedMany(10, { tenant: 'a' });
    await takeMany(8);
    const late = await queuedMany(10, { tenant: 'b' });
    await queuedMany(10, { tenant: 'a' });
    expect(among(await takeMany(10), late)).toBeLessThanOrEqual(6);
  });

  test('costs a tenant nothing for uploads that were cancelled, deleted or failed', async () => {
    const ids = await queuedMany(30, { tenant: 'a' });
    const leave = [
      (id: string) => records.cancel(id),
      (id: string) => records.delete(id),
      (id: string) => records.fail(id, undefined, PROBLEM),
    ];
    for (const [index, id] of ids.slice(0, 29).entries()) await leave[index % 3]?.(id);
    const others = await queuedMany(10, { tenant: 'b' });
    expect(await positionOf(ids[29] ?? '')).toBe(1);
    expect(await takeMany(3)).toEqual([ids[29], others[0], others[1]]);
  });

  test('begins with an upload that a stopping worker has requeued, before those of all tenants', async () => {
    const first = await queued({ tenant: 'a' });
    await queuedMany(3, { tenant: 'a' });
    await queuedMany(3, { tenant: 'b' });
    expect(await take()).toBe(first);
    const second = await take();
    applied(await records.requeue(first, 1));
    applied(await records.requeue(second ?? '', 1));
    expect([await positionOf(second ?? ''), await positionOf(first)]).toEqual([1, 2]);
    expect(await takeMany(2)).toEqual([second, first]);
  });

  test('is kept for each kind of file', async () => {
    const kinds = new UploadRecords(space.store, space.keys, {
      retentionMs: 60_000,
      kindOf: (type) => type.slice(0, 5),
    });
    const enqueue = async (type: string): Promise<string> => {
      const upload = newUpload();
      applied(await kinds.open(upload));
      expect(applied(await kinds.enqueue(upload.id, upload.fencingToken, { ...STORED, type })).permitFor).toBe(
        type.slice(0, 5),
      );
      return upload.id;
    };
    const [picture, table] = [await enqueue('image/jpeg'), await enqueue('text/csv')];
    expect([await positionOf(picture), await positionOf(table)]).toEqual([1, 1]);
    expect([await take('text/'), await take('text/'), await take('image')]).toEqual([table, undefined, picture]);
  });

  test('starts again at 0 when nothing waits, so that its numbers stay small', async () => {
    await queuedMany(3, { tenant: 'a' });
    await takeMany(3);
    expect((await space.connection.keys(`${space.keys.fair}*`)).sort()).toEqual(
      ['kinds', `permits:${OTHER_KIND}`].map((name) => `${space.keys.fair}${name}`),
    );
  });

  test('is the order in which uploads are taken, with their positions, for any changes', async () => {
    const flow = fc.constantFrom<Flow>(
      { tenant: 'a' },
      { tenant: 'b', weight: 3 },
      { tenant: 'c', weight: 0.5 },
      { tenant: 'a', lane: 'batch' },
    );
    const step = fc.oneof(
      { weight: 5, arbitrary: flow.map((of) => async () => await queued(of)) },
      { weight: 2, arbitrary: fc.constant(async () => await take()) },
      { weight: 2, arbitrary: fc.nat(50).map((index) => async (ids: string[]) => await cancelOf(ids, index)) },
      { weight: 1, arbitrary: fc.nat(50).map((index) => async (ids: string[]) => await requeueOf(ids, index)) },
    );
    const cancelOf = async (ids: string[], index: number) => void (await records.cancel(ids[index % ids.length] ?? ''));
    const requeueOf = async (ids: string[], index: number) => {
      const record = (await records.read(ids[index % ids.length] ?? ''))?.record;
      if (record?.state === 'processing') applied(await records.requeue(record.id, record.attempt));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const ids: string[] = [];
        for (const run of steps) {
          const id = await run(ids);
          if (id !== undefined) ids.push(id);
        }
        const known = [...new Set(ids)];
        const reads = await Promise.all(known.map(async (id) => ({ id, position: await positionOf(id) })));
        const waiting = reads.filter(({ position }) => typeof position === 'number');
        const expected = waiting.sort((one, other) => Number(one.position) - Number(other.position));
        expect(expected.map(({ position }) => position)).toEqual(expected.map((_, index) => index + 1));
        expect(await takeMany(expected.length + 1)).toEqual([...expected.map(({ id }) => id), undefined]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a permit', () => {
  const permit = { kind: OTHER_KIND, id: 'p' };

  test('takes the same upload again if its worker has died, and counts the death', async () => {
    const [first] = [await queued({ tenant: 'a' }), await queued({ tenant: 'a' })];
    await records.take(permit);
    const again = await records.take(permit);
    expect(!again.nothing && applied(again.outcome).record).toMatchObject({ id: first, attempt: 2, deaths: 1 });
  });

  test.each([
    ['has ended', async (id: string) => await records.fail(id, 1, PROBLEM)],
    ['was requeued and begun with another permit', async (id: string) => await requeueAndBegin(id)],
  ])('takes the next upload if its earlier upload %s', async (_how, change) => {
    const first = await queued({ tenant: 'a' });
    await records.take(permit);
    await change(first);
    const second = await queued({ tenant: 'a' });
    const taken = await records.take(permit);
    expect(!taken.nothing && applied(taken.outcome).record?.id).toBe(second);
  });

  async function requeueAndBegin(id: string): Promise<void> {
    applied(await records.requeue(id, 1));
    applied(await records.begin(id, { kind: OTHER_KIND, id: 'other' }));
  }

  test('that replaces another one takes the upload that the other one had begun', async () => {
    const first = await queued({ tenant: 'a' });
    await queued({ tenant: 'a' });
    await records.take(permit);
    const taken = await records.take({ ...permit, id: 'q', replaces: 'p' });
    expect(!taken.nothing && applied(taken.outcome).record).toMatchObject({
      id: first,
      attempt: 2,
      permit: { kind: OTHER_KIND, id: 'q' },
    });
    expect(await space.connection.hgetall(`${space.keys.fair}permits:${OTHER_KIND}`)).toEqual({ q: first });
  });

  test('finds nothing if no upload waits, and gets the time until the first pause ends', async () => {
    expect(await records.take(permit)).toEqual({ nothing: true, retryInMs: undefined });
    const { id } = await uploadIn(records, 'processing');
    applied(await records.requeue(id, 1, { faults: 1, pauseMs: 60_000 }));
    const taken = await records.take(permit);
    expect(taken).toEqual({ nothing: true, retryInMs: expect.any(Number) });
    expect(taken.nothing && taken.retryInMs).toBeGreaterThan(30_000);
    expect(await positionOf(id)).toBe(1);
    await space.connection.zincrby(`${space.keys.fair}paused:${OTHER_KIND}`, -66_000, id);
    expect(await take()).toBe(id);
  });

  test('that is left over from a cancelled upload serves the next one, so permits do not pile up', async () => {
    const enqueue = async (): Promise<[string, string | undefined]> => {
      const { id, fencingToken } = await receiving({ tenant: 'a' });
      return [id, applied(await records.enqueue(id, fencingToken, STORED)).permitFor];
    };
    const [first, firstPermit] = await enqueue();
    await records.cancel(first);
    const [, secondPermit] = await enqueue();
    const [, thirdPermit] = await enqueue();
    expect([firstPermit, secondPermit, thirdPermit]).toEqual([OTHER_KIND, undefined, OTHER_KIND]);
  });

  test('is rejected with exhausted for an upload that has used up its attempts, which can then fail', async () => {
    const { id } = await uploadIn(records, 'processing');
    applied(await records.requeue(id, 1, { faults: 5 }));
    const taken = await records.take(permit);
    expect(!taken.nothing && [verdict(taken.outcome), taken.outcome.record?.id]).toEqual(['exhausted', id]);
    applied(await records.fail(id, undefined, PROBLEM));
    expect(await space.connection.exists(space.keys.waiting)).toBe(0);
  });
});

describe('a full queue that discards its oldest', () => {
  const full: QueueLimits = { capacity: 6, discards: true, perAddress: 0 };

  test('discards the oldest upload of the tenant furthest over its share', async () => {
    const small = await queued({ tenant: 'small' }, full);
    const large = await queuedMany(5, { tenant: 'large' });
    const { id, fencingToken } = await receiving({ tenant: 'small' });
    expect(applied(await records.enqueue(id, fencingToken, STORED, full)).discarded).toEqual([large[0]]);
    expect(await positionOf(small)).toBe(1);
  });

  test('compares tenants by their weights', async () => {
    const paying = await queuedMany(4, { tenant: 'paying', weight: 4 });
    const free = await queuedMany(2, { tenant: 'free', weight: 1 });
    const { id, fencingToken } = await receiving({ tenant: 'paying', weight: 4 });
    expect(applied(await records.enqueue(id, fencingToken, STORED, full)).discarded).toEqual([free[0]]);
    expect(await positionOf(paying[0] ?? '')).toBe(1);
  });
});
