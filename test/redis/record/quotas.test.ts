import { afterEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Caller, TenantLimits } from '../../../src/access/caller.ts';
import type { ChangeOutcome } from '../../../src/record/change-outcome.ts';
import type { NewUpload } from '../../../src/record/open-record.ts';
import { checkQuota } from '../../../src/record/quota.ts';
import type { UploadRecords } from '../../../src/record/record.ts';
import { manifestOwner } from '../../../src/record/ownership.ts';
import {
  applied,
  newUpload,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';
import { callerOf, sumOfRecords, ticketFor, useOf } from '../../helpers/tenant-use.ts';

const PROCESSES = 3;
const NONE = { receivedBytes: 0, type: null };
const BYTES = STORED.sizeBytes;

let space: RecordSpace;
let records: UploadRecords;
let processes: UploadRecords[];

afterEach(async () => {
  // At the end of each test the counts are those of the records.
  const { waiting, receiving, storedBytes } = await useOf(space, 'acme');
  expect({ waiting, receiving, storedBytes }).toEqual(await sumOfRecords(space, 'acme'));
});
useRecords('test', (opened) => {
  ({ records } = space = opened);
  processes = [records, ...Array.from({ length: PROCESSES - 1 }, () => space.another())];
});

const acme = (limits: TenantLimits, more: Partial<Caller> = {}) => callerOf('acme', limits, more);

async function open(caller: Caller, announced: Partial<NewUpload> = {}, by = records): Promise<ChangeOutcome> {
  return await by.open(newUpload({ ...announced, caller }));
}

/** Returns the limit that a rejection names, or the verdict. */
function answerTo(outcome: ChangeOutcome): string {
  return outcome.applied ? 'applied' : (outcome.limit?.name ?? outcome.rejection);
}

function countOf(outcomes: readonly ChangeOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[answerTo(outcome)] = (counts[answerTo(outcome)] ?? 0) + 1;
  return counts;
}

/** Starts all at once, from several connections. */
async function race(times: number, run: (by: UploadRecords, index: number) => Promise<ChangeOutcome>) {
  return countOf(
    await Promise.all(Array.from({ length: times }, (_, index) => run(processes[index % PROCESSES] ?? records, index))),
  );
}

describe('a race of openings', () => {
  test.each([
    ['receiving', { receiving: 5 }],
    ['createPerMinute', { createPerMinute: 5 }],
    ['uploadsPerDay', { uploadsPerDay: 5 }],
    ['bytesPerDay', { bytesPerDay: 5 * BYTES + 1 }],
    ['storedBytes', { storedBytes: 5 * BYTES + 1 }],
  ])('never exceeds %s', async (name, limits) => {
    expect(await race(30, (by) => open(acme(limits), {}, by))).toEqual({ applied: 5, [name]: 25 });
  });

  test('never exceeds a limit from a hundred processes', async () => {
    const others = Array.from({ length: 100 }, () => space.another());
    const outcomes = await Promise.all(
      others.flatMap((by) => [1, 2, 3].map(() => open(acme({ receiving: 7, bytesPerDay: 6 * BYTES + 1 }), {}, by))),
    );
    expect(countOf(outcomes)).toEqual({ applied: 6, bytesPerDay: 294 });
  });

  test('does not count the uploads of other tenants', async () => {
    const outcomes = await race(30, (by, index) => open(callerOf(`t${index % 2}`, { receiving: 5 }), {}, by));
    expect(outcomes).toEqual({ applied: 10, receiving: 20 });
  });

  test('opens exactly as many uploads with a ticket as it allows', async () => {
    const ticket = ticketFor(5);
    expect(await race(50, (by) => open(acme({}, { ticket }), {}, by))).toEqual({ applied: 5, ticket: 45 });
  });
});

describe('a race of received uploads', () => {
  test.each([
    ['waiting', { waiting: 5 }],
    ['uploadsPerDay', { uploadsPerDay: 5 }],
    ['bytesPerDay', { bytesPerDay: 5 * BYTES + 1 }],
    ['storedBytes', { storedBytes: 5 * BYTES + 1 }],
  ])('never exceeds %s, even if no sender announced a size', async (name, limits) => {
    const uploads = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const upload = newUpload({ caller: acme({ [name]: 1e12 }), totalBytes: null });
        applied(await records.open(upload));
        // The limits were lowered after the upload had begun.
        await space.connection.hset(space.keys.record(upload.id), 'limits', JSON.stringify(limits));
        return upload;
      }),
    );
    const enqueue = (by: UploadRecords, index: number) => {
      const { id, fencingToken } = uploads[index] ?? newUpload();
      return by.enqueue(id, fencingToken, STORED);
    };
    expect(await race(20, enqueue)).toEqual({ applied: 5, [name]: 15 });
  });
});

describe('a limit', () => {
  test('of waiting uploads also rejects openings while it is reached, and changes nothing', async () => {
    const caller = acme({ waiting: 1 });
    await uploadIn(records, 'queued', { caller });
    const fresh = newUpload({ caller });
    expect(await records.open(fresh)).toMatchObject({
      applied: false,
      rejection: 'limited',
      limit: { name: 'waiting', endsInMs: undefined },
    });
    expect(await records.read(fresh.id)).toBeUndefined();
  });

  test('of a day ends at midnight UTC, and of a minute with the minute', async () => {
    const day = await Promise.all([1, 2].map(() => open(acme({ uploadsPerDay: 1 }))));
    const minute = await Promise.all([1, 2].map(() => open(callerOf('other', { createPerMinute: 1 }))));
    const endsInMs = (outcomes: readonly ChangeOutcome[]) =>
      outcomes.flatMap((outcome) => (outcome.applied ? [] : [outcome.limit?.endsInMs ?? 0]))[0] ?? 0;
    const untilMidnightMs = 86_400_000 - (Date.now() % 86_400_000);
    expect(Math.abs(endsInMs(day) - untilMidnightMs)).toBeLessThan(60_000);
    expect(endsInMs(minute)).toBeGreaterThan(0);
    expect(endsInMs(minute)).toBeLessThanOrEqual(60_000);
  });

  test('of bytes counts the announced size of a receiving upload, and one byte of an unknown size', async () => {
    const caller = acme({ storedBytes: 3000 });
    expect([
      answerTo(await open(caller, { totalBytes: 2999 })),
      answerTo(await open(caller, { totalBytes: 2 })),
      answerTo(await open(caller, { totalBytes: null })),
      answerTo(await open(caller, { totalBytes: null })),
    ]).toEqual(['applied', 'storedBytes', 'applied', 'applied']);
    expect(answerTo(await open(caller, { totalBytes: 1 }))).toBe('applied');
    expect(answerTo(await open(caller, { totalBytes: null }))).toBe('storedBytes');
  });

  test('counts an upload that is taken over or started again only once', async () => {
    const caller = acme({ receiving: 1, uploadsPerDay: 1, storedBytes: BYTES, createPerMinute: 2 });
    const upload = await uploadIn(records, 'receiving', { caller });
    const again = () => open(caller, { id: upload.id });
    expect(answerTo(await again())).toBe('applied');
    await records.cancel(upload.id);
    expect(answerTo(await again())).toBe('applied');
    await records.cancel(upload.id);
    expect(answerTo(await again())).toBe('createPerMinute');
  });

  test('counts a request that takes over an upload of another tenant as a creation', async () => {
    const { id } = await uploadIn(records, 'receiving', { caller: acme({}) });
    const other = callerOf('other', { createPerMinute: 1 });
    expect(answerTo(await open(other, { id }))).toBe('applied');
    expect(answerTo(await open(other, { id }))).toBe('applied');
    expect(answerTo(await open(other))).toBe('createPerMinute');
  });

  test('is checked early without a record: before an upload begins, and before a received one is queued', async () => {
    await uploadIn(records, 'queued', { caller: acme({}) });
    const check = async (limits: TenantLimits, bytes?: number) =>
      (await checkQuota(space, { tenant: 'acme', limits }, bytes))?.name;
    expect([await check({ waiting: 1 }), await check({ waiting: 2 }), await check({})]).toEqual([
      'waiting',
      undefined,
      undefined,
    ]);
    expect([await check({ storedBytes: 2 * BYTES }, BYTES), await check({ storedBytes: BYTES }, 1)]).toEqual([
      undefined,
      'storedBytes',
    ]);
  });

  test('does not apply to an upload that is opened only to be rejected, which does not count either', async () => {
    const caller = acme({ receiving: 1, createPerMinute: 1 });
    await uploadIn(records, 'receiving', { caller });
    const refused = newUpload({ caller, isRefused: true });
    expect(answerTo(await records.open(refused))).toBe('applied');
    expect(await useOf(space, 'acme')).toMatchObject({ receiving: 1, createPerMinute: 1 });
    applied(await records.reject(refused.id, refused.fencingToken, PROBLEM, NONE));
    expect((await records.read(refused.id))?.record.tenant).toBe('acme');
  });
});

describe('the use of a tenant', () => {
  test('is given back in every way in which an upload leaves a state', async () => {
    const caller = acme({});
    const at = async (state: 'receiving' | 'queued' | 'processing' | 'completed' | 'failed') =>
      await uploadIn(records, state, { caller });
    const gone = async ({ id }: { id: string }) => await records.forget(id, 'p');
    const receiving = await Promise.all(Array.from({ length: 5 }, () => at('receiving')));
    const queued = await Promise.all(Array.from({ length: 4 }, () => at('queued')));
    const [processing, completed, failed] = [await at('processing'), await at('completed'), await at('failed')];
    expect(await useOf(space, 'acme')).toEqual({
      waiting: 4,
      receiving: 5,
      uploadsPerDay: 7,
      bytesPerDay: 7 * BYTES,
      storedBytes: 7 * BYTES,
      createPerMinute: 12,
    });
    const [rejected, interrupted, cancelled, deleted, forgotten] = receiving;
    const version = (await records.read(interrupted?.id ?? ''))?.record.version ?? 0;
    applied(await records.reject(rejected?.id ?? '', rejected?.fencingToken ?? '', PROBLEM, NONE));
    applied(await records.interrupt(interrupted?.id ?? '', version, PROBLEM));
    applied(await records.cancel(cancelled?.id ?? ''));
    applied(await records.delete(deleted?.id ?? ''));
    await gone(forgotten ?? newUpload());
    expect(await useOf(space, 'acme')).toMatchObject({ receiving: 0, storedBytes: 7 * BYTES });
    applied(await records.requeue(processing.id, processing.attempt));
    expect(await useOf(space, 'acme')).toMatchObject({ waiting: 5 });
    applied(await records.fail(queued[0]?.id ?? '', undefined, PROBLEM));
    applied(await records.cancel(queued[1]?.id ?? ''));
    applied(await records.delete(queued[2]?.id ?? ''));
    await gone(queued[3] ?? newUpload());
    expect(await useOf(space, 'acme')).toMatchObject({ waiting: 1, storedBytes: 4 * BYTES });
    applied(await records.delete(completed.id));
    applied(await open(caller, { id: failed.id }));
    expect(await useOf(space, 'acme')).toMatchObject({ waiting: 1, receiving: 1, storedBytes: 2 * BYTES });
  });

  test('is given back by an evicted upload', async () => {
    const oldest = await uploadIn(records, 'queued', { caller: acme({}) });
    const next = await uploadIn(records, 'receiving', { caller: acme({}) });
    const limits = { capacity: 1, discards: true, perAddress: 0 };
    expect(applied(await records.enqueue(next.id, next.fencingToken, STORED, limits)).discarded).toEqual([oldest.id]);
    expect(await useOf(space, 'acme')).toMatchObject({ waiting: 1, storedBytes: BYTES });
  });

  test('is given back when uploads expire, even if the janitor has not removed them', async () => {
    const { id } = await uploadIn(records, 'completed', { caller: acme({}) });
    expect(await useOf(space, 'acme')).toMatchObject({ storedBytes: BYTES });
    await expire(id);
    expect(await useOf(space, 'acme')).toMatchObject({ storedBytes: 0 });
    await records.forget(id, 'p');
    expect(await useOf(space, 'acme')).toMatchObject({ storedBytes: 0 });
  });

  test('moves to the tenant that starts the upload again', async () => {
    const { id } = await uploadIn(records, 'failed', { caller: acme({}) });
    applied(await open(callerOf('other'), { id }));
    expect([await useOf(space, 'acme'), await useOf(space, 'other')]).toMatchObject([
      { receiving: 0, storedBytes: 0 },
      { receiving: 1, storedBytes: 0 },
    ]);
    applied(await records.open(newUpload({ id })));
    expect(await useOf(space, 'other')).toMatchObject({ receiving: 0 });
  });

  test('is counted again by a restore, also for the day on which the upload was created', async () => {
    const upload = await uploadIn(records, 'completed', { caller: acme({}) });
    const { record } = (await records.read(upload.id)) ?? {};
    if (record === undefined) throw new Error('no record');
    const keys = await space.connection.keys(`${space.keys.bullPrefix}:*`);
    await space.connection.del(...keys);
    expect(await useOf(space, 'acme')).toMatchObject({ storedBytes: 0, uploadsPerDay: 0 });
    const restore = async (id: string, createdAtMs: number) =>
      applied(
        await records.restore({
          ...STORED,
          ...manifestOwner(record),
          id,
          publicId: record.publicId,
          fencingToken: record.fencingToken,
          name: record.fileName,
          createdAt: new Date(createdAtMs).toISOString(),
          sequence: 1,
        }),
      );
    await restore(upload.id, record.createdAtMs);
    await restore(randomUUID(), record.createdAtMs - 86_400_000);
    expect(await useOf(space, 'acme')).toMatchObject({
      waiting: 2,
      storedBytes: 2 * BYTES,
      uploadsPerDay: 1,
      bytesPerDay: BYTES,
    });
  });

  test('adds no key to Redis in open mode', async () => {
    await uploadIn(records, 'completed');
    expect(await space.connection.keys(`${space.keys.tenants}*`)).toEqual([]);
  });
});

describe('the files of a ticket', () => {
  test('are counted by id: each counts once, and an upload that was never stored gives its place back', async () => {
    const caller = acme({}, { ticket: ticketFor(2) });
    const upload = newUpload({ caller });
    expect(verdict(await records.open(upload))).toBe('applied');
    expect(verdict(await records.open({ ...upload, fencingToken: 'later' }))).toBe('applied');
    const other = newUpload({ caller });
    expect(verdict(await records.open(other))).toBe('applied');
    expect(verdict(await open(caller))).toBe('ticket');
    applied(await records.reject(other.id, other.fencingToken, PROBLEM, NONE));
    const third = newUpload({ caller });
    expect(verdict(await records.open(third))).toBe('applied');
    expect(verdict(await records.open({ ...other, fencingToken: 'again' }))).toBe('ticket');
    await records.forget(third.id, 'p');
    expect(verdict(await records.open({ ...other, fencingToken: 'again' }))).toBe('applied');
    applied(await records.enqueue(other.id, 'again', STORED));
    applied(await records.delete(other.id));
    expect(verdict(await open(caller))).toBe('ticket');
  });

  test('are counted apart for each ticket, and only if the ticket limits them', async () => {
    const openWith = async (jti: string, most?: number) =>
      verdict(await open(acme({}, { ticket: ticketFor(most, jti) })));
    expect([await openWith('a', 1), await openWith('b', 1), await openWith('a', 1), await openWith('a')]).toEqual([
      'applied',
      'applied',
      'ticket',
      'applied',
    ]);
    const [key = ''] = await space.connection.keys(`${space.keys.tenants}:ticket:*`);
    expect(await space.connection.pttl(key)).toBeGreaterThan(0);
  });
});

/** Moves the end of the retention into the past, in the record and in the counts. */
async function expire(id: string): Promise<void> {
  const { connection, keys } = space;
  await connection.hset(keys.record(id), 'expiresAt', '1');
  const endings = await connection.zrange(`${keys.tenants}:ends`, '0', '-1');
  for (const ending of endings.filter((member) => member.startsWith(id)))
    await connection.zadd(`${keys.tenants}:ends`, '1', ending);
}

test('a completed upload keeps its bytes until it expires', async () => {
  const { id, attempt } = await uploadIn(records, 'processing', { caller: acme({}) });
  applied(await records.complete(id, attempt, RESULT));
  expect(await useOf(space, 'acme')).toMatchObject({ waiting: 0, storedBytes: BYTES });
});

describe('the counts of a tenant', () => {
  /** Changes of an upload of the pool, any of which may be rejected. */
  const CHANGES: readonly ((id: string, token: string, by: UploadRecords) => Promise<unknown>)[] = [
    (id, fencingToken, by) => by.open({ ...newUpload({ caller: acme({ storedBytes: 1e9 }) }), id, fencingToken }),
    (id, fencingToken, by) => by.open({ ...newUpload({ caller: callerOf('other') }), id, fencingToken }),
    (id, fencingToken, by) => by.open({ ...newUpload({ totalBytes: null, caller: acme({}) }), id, fencingToken }),
    (id, token, by) => by.announceTotal(id, token, 77),
    (id, token, by) => by.receive(id, token, 7, 1000),
    (id, token, by) => by.enqueue(id, token, STORED, { capacity: 3, discards: true, perAddress: 0 }),
    (id, token, by) => by.reject(id, token, PROBLEM, NONE),
    (id, _token, by) => by.begin(id),
    (id, _token, by) => by.requeue(id, 1),
    (id, _token, by) => by.complete(id, 1, RESULT),
    (id, _token, by) => by.fail(id, undefined, PROBLEM),
    (id, _token, by) => by.cancel(id),
    (id, _token, by) => by.delete(id),
    (id, _token, by) => by.forget(id, 'p'),
    async (id, _token, by) => await by.interrupt(id, (await by.read(id))?.record.version ?? 0, PROBLEM),
    async (id, _token, by) => await by.retry(id, (await by.read(id))?.record.version ?? 0),
  ];

  test('are those of the records after any changes in any order', async () => {
    const pool = Array.from({ length: 6 }, (_, index) => ({ id: randomUUID(), token: `t${index}` }));
    let seed = 7;
    const next = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 60; round += 1) {
      // Several changes run at the same time and race for the same uploads.
      const steps = Array.from({ length: 10 }, async (_, index) => {
        const { id, token } = pool[next(pool.length)] ?? { id: '', token: '' };
        await CHANGES[next(CHANGES.length)]?.(id, token, processes[index % PROCESSES] ?? records);
      });
      await Promise.all(steps);
      const { id = '' } = pool[round % pool.length] ?? {};
      if ((await records.read(id))?.record.expiresAtMs) await expire(id);
      for (const tenant of ['acme', 'other']) {
        const { waiting, receiving, storedBytes } = await useOf(space, tenant);
        expect([round, tenant, { waiting, receiving, storedBytes }]).toEqual([
          round,
          tenant,
          await sumOfRecords(space, tenant),
        ]);
      }
    }
    const use = await space.connection.hgetall(`${space.keys.tenants}:use`);
    expect(Object.values(use).filter((count) => Number(count) <= 0)).toEqual([]);
  });
});
