import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import type { BacklogFigures } from '../../../src/queue/backlog.ts';
import type { ReachedLimit } from '../../../src/record/quota.ts';
import { Admission, isCapacityError, type QueueBounds } from '../../../src/intake/admission.ts';

const ADDRESS = '192.0.2.1';

interface Built {
  admission: Admission;
  refused: string[];
  asked: (string | undefined)[];
}

function build(bounds: Partial<QueueBounds>, figures: Partial<BacklogFigures> | Error): Built {
  const refused: string[] = [];
  const asked: (string | undefined)[] = [];
  const admission = new Admission({
    bounds: { capacity: 100, overflow: 'reject', capacityPerAddress: 0, ...bounds },
    backlog: {
      async read(address) {
        asked.push(address);
        if (figures instanceof Error) throw figures;
        return { waiting: 0, ofAddress: 0, drainedPerMinute: undefined, ...figures };
      },
    },
    onRejected: (code) => refused.push(code),
    onDiscarded: () => undefined,
  });
  return { admission, refused, asked };
}

async function retryAfterMs(
  word: 'full' | 'quota',
  bounds: Partial<QueueBounds>,
  figures: Partial<BacklogFigures> | Error,
): Promise<number | undefined> {
  return (await build(bounds, figures).admission.rejection(word, ADDRESS)).retryAfterMs;
}

describe('admission', () => {
  test.each([
    [{}, { waiting: 99 }, 'taken'],
    [{}, { waiting: 100 }, 'queue_full'],
    [{}, { waiting: 101 }, 'queue_full'],
    [{ overflow: 'discard-oldest' as const }, { waiting: 100 }, 'taken'],
    [{ capacityPerAddress: 3 }, { waiting: 50, ofAddress: 2 }, 'taken'],
    [{ capacityPerAddress: 3 }, { waiting: 50, ofAddress: 3 }, 'too_many_queued_by_address'],
    [
      { capacityPerAddress: 3, overflow: 'discard-oldest' as const },
      { waiting: 50, ofAddress: 3 },
      'too_many_queued_by_address',
    ],
  ])('with %j and %j: %s', async (bounds, figures, verdict) => {
    const { admission, refused } = build(bounds, figures);
    const outcome = await admission.requireCapacity(ADDRESS).then(
      () => 'taken',
      (error: unknown) => (error instanceof ServiceError ? error.code : 'other'),
    );
    expect([outcome, refused]).toEqual([verdict, verdict === 'taken' ? [] : [verdict]]);
  });

  test('does not use the address if no share is limited', async () => {
    const { admission, asked } = build({}, {});
    await admission.requireCapacity(ADDRESS);
    expect([admission.queueLimits(ADDRESS), asked]).toEqual([
      { capacity: 100, discards: false, perAddress: 0 },
      [undefined],
    ]);
  });

  test('uses the address if shares are limited', async () => {
    const { admission, asked } = build({ capacityPerAddress: 5, overflow: 'discard-oldest' }, {});
    await admission.requireCapacity(ADDRESS);
    expect([admission.queueLimits(ADDRESS), asked]).toEqual([
      { capacity: 100, discards: true, perAddress: 5, address: ADDRESS },
      [ADDRESS],
    ]);
  });

  test('does not reject an upload as full if Redis is away', async () => {
    const away = new ServiceError('service_unavailable', 'Away.');
    await expect(build({}, away).admission.requireCapacity(ADDRESS)).rejects.toBe(away);
    expect([
      isCapacityError(away),
      isCapacityError(new Error('x')),
      isCapacityError(await build({}, {}).admission.rejection('quota', ADDRESS)),
    ]).toEqual([false, false, true]);
  });
});

describe('Retry-After of a full queue', () => {
  test('is the time in which a hundredth of the capacity drains', async () => {
    expect(await retryAfterMs('full', { capacity: 5000 }, { waiting: 5000, drainedPerMinute: 100 })).toBe(30_000);
    expect(await retryAfterMs('full', { capacity: 2 }, { waiting: 2, drainedPerMinute: 30 })).toBe(2000);
  });

  test('of an address is the time in which one of its own uploads probably leaves', async () => {
    expect(
      await retryAfterMs('quota', { capacityPerAddress: 10 }, { waiting: 100, ofAddress: 10, drainedPerMinute: 60 }),
    ).toBe(10_000);
  });

  test.each(['full', 'quota'] as const)('stays within its limits for any drain rate (%s)', async (word) => {
    const figures = { waiting: 5000, ofAddress: 1 };
    expect(await retryAfterMs(word, { capacity: 5000 }, { ...figures, drainedPerMinute: 1e9 })).toBe(1000);
    expect(await retryAfterMs(word, { capacity: 5000 }, { ...figures, drainedPerMinute: 0.001 })).toBe(120_000);
  });

  test.each(['full', 'quota'] as const)('has a default if the rate is unknown or Redis is away (%s)', async (word) => {
    expect(await retryAfterMs(word, {}, { waiting: 100, ofAddress: 1 })).toBe(10_000);
    expect(await retryAfterMs(word, {}, new Error('away'))).toBe(10_000);
  });

  test('comes with a problem that says what to do', async () => {
    const full = await build({}, {}).admission.rejection('full', ADDRESS);
    expect([full.code, full.status, full.message]).toEqual(['queue_full', 503, expect.stringContaining('Retry-After')]);
    const quota = await build({ capacityPerAddress: 7 }, {}).admission.rejection('quota', ADDRESS);
    expect([quota.code, quota.status, quota.message]).toEqual([
      'too_many_queued_by_address',
      429,
      expect.stringContaining('At most 7 uploads'),
    ]);
  });
});

describe('the limit of records', () => {
  const figures = { live: 0, ofOwner: 0, nextDropMs: 5000 };
  const admissionOf = (found: Partial<typeof figures>, maxPerAddress: number, codes: string[] = []) =>
    new Admission({
      bounds: { capacity: 100, overflow: 'reject', capacityPerAddress: 0 },
      backlog: { read: async () => ({ waiting: 0, ofAddress: 0, drainedPerMinute: undefined }) },
      records: { max: 10, maxPerAddress },
      countRecords: async () => ({ ...figures, ...found }),
      onRejected: (code) => codes.push(code),
      onDiscarded: () => undefined,
    });

  test.each([
    [{ live: 10 }, 0, 'too_many_records', 503],
    [{ live: 9, ofOwner: 3 }, 3, 'too_many_records_by_address', 429],
  ] as const)('rejects an upload before its body is read: %j', async (found, perAddress, code, status) => {
    const codes: string[] = [];
    const refusal = admissionOf(found, perAddress, codes).requireCapacity(ADDRESS);
    await expect(refusal).rejects.toMatchObject({ code, status, retryAfterMs: 5000 });
    expect(codes).toEqual([code]);
  });

  test('accepts an upload below it, and any address without a limit of addresses', async () => {
    await admissionOf({ live: 9, ofOwner: 9 }, 0).requireCapacity(ADDRESS);
  });

  test('is passed to the script with a digest of the address, which does not reveal it', () => {
    const bounds = admissionOf({}, 3).recordBounds(ADDRESS);
    expect(bounds).toEqual({ most: 10, mostOfOwner: 3, owner: expect.stringMatching(/^[\w-]{16}$/) });
    expect(admissionOf({}, 0).recordBounds(ADDRESS)).toEqual({ most: 10, mostOfOwner: 0 });
  });
});

describe('a limit of a tenant', () => {
  const owner = { tenant: 'acme', limits: { waiting: 5 } };
  const rejecting = (limit: ReachedLimit | undefined, drainedPerMinute?: number) => {
    const codes: string[] = [];
    const asked: unknown[] = [];
    const admission = new Admission({
      bounds: { capacity: 100, overflow: 'reject', capacityPerAddress: 0 },
      backlog: { read: async () => ({ waiting: 50, ofAddress: 0, drainedPerMinute }) },
      checkQuota: async (...args) => {
        asked.push(args);
        return limit;
      },
      onRejected: (code) => codes.push(code),
      onDiscarded: () => undefined,
    });
    return { admission, codes, asked };
  };

  test.each([
    [{ name: 'uploadsPerDay', endsInMs: 5_000_000 }, undefined, 5_000_000],
    [{ name: 'createPerMinute', endsInMs: 7 }, undefined, 7],
    [{ name: 'waiting', endsInMs: undefined }, 30, 2000],
    [{ name: 'waiting', endsInMs: undefined }, undefined, 10_000],
    [{ name: 'receiving', endsInMs: undefined }, undefined, 2000],
    [{ name: 'storedBytes', endsInMs: undefined }, undefined, 60_000],
  ] as const)('rejects an upload before its body is read: %j', async (limit, drained, retryAfterMs) => {
    const { admission, codes, asked } = rejecting(limit, drained);
    const refusal = admission.requireCapacity(ADDRESS, owner, 9);
    await expect(refusal).rejects.toMatchObject({
      code: 'quota_exceeded',
      status: 429,
      limit: limit.name,
      retryAfterMs,
    });
    expect([codes, asked]).toEqual([['quota_exceeded'], [[owner, 9]]]);
    expect(isCapacityError(await refusal.catch((error: unknown) => error))).toBe(true);
  });

  test('is not checked without an owner', async () => {
    const { admission, asked } = rejecting({ name: 'waiting', endsInMs: undefined });
    await admission.requireCapacity(ADDRESS);
    expect(asked).toEqual([]);
  });
});
