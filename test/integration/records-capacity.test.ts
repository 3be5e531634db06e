import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ChangeOutcome } from '../../src/record/change-outcome.ts';
import type { QueueLimits, RecordStore } from '../../src/record/record-change.ts';
import { decodeProgress, type RecordFields } from '../../src/record/record-fields.ts';
import type { NewUpload } from '../../src/record/open-record.ts';
import { checkQuota } from '../../src/record/quota.ts';
import { TenantUploads } from '../../src/record/tenant-uploads.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { Backlog } from '../../src/queue/backlog.ts';
import { openWaitingConnection } from '../../src/queue/connection.ts';
import { OTHER_KIND } from '../../src/queue/contract.ts';
import { UploadQueue } from '../../src/queue/upload-queue.ts';
import { UploadSets } from '../../src/queue/upload-sets.ts';
import type { Manifest } from '../../src/storage/manifest.ts';
import { eventually } from '../helpers/eventually.ts';
import { overriding } from '../helpers/overriding.ts';
import {
  applied,
  newUpload,
  openRecordSpace,
  PROBLEM,
  silentLog,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';
import { callerOf, ticketFor, useOf } from '../helpers/tenant-use.ts';
import { startRedisCluster } from '../helpers/redis-cluster.ts';
import { sharedRedis } from '../helpers/shared-redis.ts';

const PROCESSES = 3;

let space: RecordSpace;
let records: UploadRecords;
let processes: UploadRecords[];

useRecords('test', (opened) => {
  ({ records } = space = opened);
  processes = [records, ...Array.from({ length: PROCESSES - 1 }, () => space.another())];
});

const rejecting = (capacity: number): QueueLimits => ({ capacity, discards: false, perAddress: 0 });
const discarding = (capacity: number): QueueLimits => ({ capacity, discards: true, perAddress: 0 });
const shareOf = (address: string, perAddress: number): QueueLimits => ({
  capacity: 1000,
  discards: false,
  perAddress,
  address,
});

async function receiving(): Promise<NewUpload> {
  return await uploadIn(records, 'receiving');
}

async function enqueue({ id, fencingToken }: NewUpload, limits: QueueLimits, by = records): Promise<ChangeOutcome> {
  return await by.enqueue(id, fencingToken, STORED, limits);
}

/** Creates an upload that waits. */
async function waiting(limits: QueueLimits): Promise<NewUpload> {
  const upload = await receiving();
  applied(await enqueue(upload, limits));
  return upload;
}

async function waitingIds(): Promise<string[]> {
  return await space.connection.zrange(space.keys.waiting, '0', '-1');
}

async function stateOf({ id }: { id: string }): Promise<string | undefined> {
  return (await records.read(id))?.record.state;
}

async function shares(): Promise<Record<string, string>> {
  return await space.connection.hgetall(space.keys.waitingByAddress);
}

describe('the last free places', () => {
  test('are each given once if several processes race for them', async () => {
    const uploads = await Promise.all(Array.from({ length: 30 }, receiving));
    const outcomes = await Promise.all(
      uploads.map((upload, index) => enqueue(upload, rejecting(7), processes[index % PROCESSES])),
    );
    expect(outcomes.map(verdict).sort()).toEqual([
      ...Array<string>(7).fill('applied'),
      ...Array<string>(23).fill('full'),
    ]);
    const taken = uploads.filter((_, index) => outcomes[index]?.applied);
    expect((await waitingIds()).sort()).toEqual(taken.map(({ id }) => id).sort());
    for (const [index, upload] of uploads.entries())
      expect(await stateOf(upload)).toBe(outcomes[index]?.applied ? 'queued' : 'receiving');
  });

  test('are free again when a waiting upload leaves in any way', async () => {
    const [begun, cancelled, failed, deleted, forgotten] = [
      await waiting(rejecting(9)),
      await waiting(rejecting(9)),
      await waiting(rejecting(9)),
      await waiting(rejecting(9)),
      await waiting(rejecting(9)),
    ];
    const next = await receiving();
    const leaves = [
      () => records.begin(begun.id),
      () => records.cancel(cancelled.id),
      () => records.fail(failed.id, undefined, PROBLEM),
      () => records.delete(deleted.id),
      () => records.forget(forgotten.id, 'p'),
    ];
    for (const [index, leave] of leaves.entries()) {
      expect(verdict(await enqueue(next, rejecting(5 - index)))).toBe('full');
      await leave();
    }
    expect(verdict(await enqueue(next, rejecting(1)))).toBe('applied');
  });

  test('are also checked when an upload opens, and a rejected opening changes nothing', async () => {
    await waiting(rejecting(1));
    const fresh = newUpload();
    expect(verdict(await records.open(fresh, rejecting(1)))).toBe('full');
    expect(await records.read(fresh.id)).toBeUndefined();
    for (const state of ['receiving', 'failed', 'cancelled'] as const) {
      const { id } = await uploadIn(records, state);
      const before = await records.read(id);
      expect([state, verdict(await records.open({ ...newUpload(), id }, rejecting(1)))]).toEqual([state, 'full']);
      expect(await records.read(id)).toEqual({ ...before, nowMs: expect.any(Number) });
    }
    expect(verdict(await records.open(fresh, rejecting(2)))).toBe('applied');
  });

  test('do not matter for a stored upload, whose state is returned although the queue is full', async () => {
    const stored = await waiting(rejecting(1));
    const finished = await uploadIn(records, 'completed');
    expect(verdict(await records.open({ ...newUpload(), id: stored.id }, rejecting(1)))).toBe('state');
    expect(verdict(await records.open({ ...newUpload(), id: finished.id }, rejecting(1)))).toBe('final');
  });

  test('are not needed by accepted uploads: a requeue, a restore', async () => {
    const first = await waiting(rejecting(1));
    applied(await records.begin(first.id));
    await waiting(rejecting(1));
    expect(verdict(await records.requeue(first.id, 1))).toBe('applied');
    const manifest: Manifest = {
      id: randomUUID(),
      publicId: 'p',
      fencingToken: 'r',
      name: 'a.jpg',
      createdAt: new Date(0).toISOString(),
      ...STORED,
    };
    expect(verdict(await records.restore(manifest))).toBe('applied');
    expect(await waitingIds()).toHaveLength(3);
  });
});

describe('the oldest waiting upload', () => {
  test('is evicted: it ends as discarded, like every final upload', async () => {
    const oldest = await waiting(discarding(2));
    const older = await waiting(discarding(2));
    const before = (await records.read(oldest.id))?.record;
    const upload = await receiving();
    expect(applied(await enqueue(upload, discarding(2))).discarded).toEqual([oldest.id]);
    expect(await waitingIds()).toEqual([older.id, upload.id]);
    const record = (await records.read(oldest.id))?.record;
    expect(record).toMatchObject({
      state: 'discarded',
      stage: 'done',
      stored: false,
      version: (before?.version ?? 0) + 1,
      percent: 30,
      error: null,
    });
    expect(record?.expiresAtMs).toBeGreaterThan(Date.now());
    for (const key of [space.keys.record(oldest.id), space.keys.publicId(record?.publicId ?? '')])
      expect(await space.connection.pttl(key)).toBeGreaterThan(0);
    // The janitor then removes its files if the process that discarded it dies.
    expect(Number(await space.connection.zscore(space.keys.due, oldest.id))).toBeLessThanOrEqual(Date.now());
    expect(verdict(await records.begin(oldest.id))).toBe('final');
  });

  test('is announced on the stream like any other change', async () => {
    const oldest = await waiting(discarding(1));
    await waiting(discarding(1));
    const entries = await space.connection.xrange(space.keys.events, '-', '+');
    const events = entries.flatMap(([, flat]) =>
      flat[3] === oldest.id ? [decodeProgress(oldest.id, JSON.parse(flat[5] ?? '') as RecordFields)] : [],
    );
    const { eventAtMs, ...last } = events.at(-1) ?? {};
    expect((await records.read(oldest.id))?.record).toMatchObject(last);
    expect([events.map(({ state, version }) => [state, version]), typeof eventAtMs]).toEqual([
      [
        ['receiving', 1],
        ['queued', 2],
        ['discarded', 3],
      ],
      'number',
    ]);
  });

  test('is announced on its own channel if changes are published on channels', async () => {
    const publishing = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, publish: 'PUBLISH' });
    const oldest = await waiting(discarding(1));
    const upload = await receiving();
    const subscriber = openWaitingConnection(await sharedRedis(), silentLog);
    const published: unknown[] = [];
    subscriber.on('message', (channel: string, data: string) =>
      published.push([channel, (JSON.parse(data) as RecordFields)['state']]),
    );
    await subscriber.subscribe(space.keys.changeChannel(oldest.id), space.keys.changeChannel(upload.id));
    applied(await enqueue(upload, discarding(1), publishing));
    await eventually('both events', () => published.length === 2);
    expect(published).toEqual([
      [space.keys.changeChannel(oldest.id), 'discarded'],
      [space.keys.changeChannel(upload.id), 'queued'],
    ]);
    subscriber.disconnect();
  });

  test('may be sent again under its id, without its old state', async () => {
    const oldest = await waiting(discarding(1));
    await waiting(discarding(1));
    const again = { ...oldest, fencingToken: randomUUID() };
    const opened = applied(await records.open(again, discarding(1)));
    expect([opened.restarted, opened.record?.state, opened.record?.percent, opened.record?.expiresAtMs]).toEqual([
      true,
      'receiving',
      0,
      null,
    ]);
    expect(await space.connection.pttl(space.keys.record(oldest.id))).toBe(-1);
    applied(await enqueue(again, discarding(1)));
    expect(await waitingIds()).toEqual([oldest.id]);
    expect(applied(await records.begin(oldest.id)).record).toMatchObject({ state: 'processing', error: null });
  });

  test('is evicted once for each new upload if several processes race', async () => {
    const uploads = await Promise.all(Array.from({ length: 30 }, receiving));
    const outcomes = await Promise.all(
      uploads.map((upload, index) => enqueue(upload, discarding(7), processes[index % PROCESSES])),
    );
    const gone = outcomes.flatMap((outcome) => applied(outcome).discarded ?? []);
    expect([gone.length, new Set(gone).size, (await waitingIds()).length]).toEqual([23, 23, 7]);
    for (const upload of uploads) expect(await stateOf(upload)).toBe(gone.includes(upload.id) ? 'discarded' : 'queued');
  });

  test('is evicted once if the reply was lost and the change is sent again', async () => {
    const oldest = await waiting(discarding(2));
    await waiting(discarding(2));
    const twice: RecordStore = overriding(space.store, {
      async runScript(script, keys, args) {
        await space.store.runScript(script, keys, args);
        return await space.store.runScript(script, keys, args);
      },
    });
    const upload = await receiving();
    const outcome = applied(
      await enqueue(upload, discarding(2), new UploadRecords(twice, space.keys, { retentionMs: 60_000 })),
    );
    expect([outcome.version, await waitingIds(), await stateOf(oldest)]).toEqual([
      2,
      [expect.any(String), upload.id],
      'discarded',
    ]);
  });

  test('is not evicted by an opening or by a rejected change', async () => {
    const oldest = await waiting(discarding(1));
    applied(await records.open(newUpload(), discarding(1)));
    const superseded = await receiving();
    expect(verdict(await enqueue({ ...superseded, fencingToken: randomUUID() }, discarding(1)))).toBe('fenced');
    expect(verdict(await enqueue(await receiving(), { ...discarding(1), perAddress: 0, address: '192.0.2.1' }))).toBe(
      'quota',
    );
    expect(await waitingIds()).toEqual([oldest.id]);
  });

  test('only loses its place, without an event, if its record says that it does not wait', async () => {
    const { id } = await uploadIn(records, 'completed');
    const before = await records.read(id);
    await space.connection.zadd(space.keys.waiting, 1, id, 2, 'unknown');
    const upload = await receiving();
    expect(applied(await enqueue(upload, discarding(1))).discarded).toBeUndefined();
    expect([await waitingIds(), (await records.read(id))?.record]).toEqual([[upload.id], before?.record]);
    expect(await space.connection.exists(space.keys.record('unknown'))).toBe(0);
  });

  test('is evicted in batches of limited size if the capacity was lowered far', async () => {
    const uploads = await Promise.all(Array.from({ length: 150 }, () => waiting(rejecting(1000))));
    expect(applied(await enqueue(await receiving(), discarding(1))).discarded).toHaveLength(100);
    expect(applied(await enqueue(await receiving(), discarding(1))).discarded).toHaveLength(51);
    expect([await waitingIds(), uploads.length]).toEqual([[expect.any(String)], 150]);
  });
});

describe('the share of one address', () => {
  test('limits its uploads, and not the uploads of other addresses', async () => {
    await waiting(shareOf('192.0.2.1', 2));
    await waiting(shareOf('192.0.2.1', 2));
    expect(verdict(await enqueue(await receiving(), shareOf('192.0.2.1', 2)))).toBe('quota');
    expect(verdict(await records.open(newUpload(), shareOf('192.0.2.1', 2)))).toBe('quota');
    expect(verdict(await enqueue(await receiving(), shareOf('192.0.2.2', 2)))).toBe('applied');
    expect(await shares()).toEqual({ '192.0.2.1': '2', '192.0.2.2': '1' });
  });

  test('is never exceeded if several processes race for it', async () => {
    const uploads = await Promise.all(Array.from({ length: 20 }, receiving));
    const outcomes = await Promise.all(
      uploads.map((upload, index) => enqueue(upload, shareOf('2001:db8:0:1::/64', 4), processes[index % PROCESSES])),
    );
    expect(outcomes.filter(({ applied: isApplied }) => isApplied)).toHaveLength(4);
    expect(await shares()).toEqual({ '2001:db8:0:1::/64': '4' });
  });

  const WAYS: readonly [name: string, leave: (id: string) => Promise<unknown>][] = [
    ['is processed', (id) => records.begin(id)],
    ['is cancelled', (id) => records.cancel(id)],
    ['is deleted', (id) => records.delete(id)],
    ['fails', (id) => records.fail(id, undefined, PROBLEM)],
    ['is forgotten', async (id) => await records.forget(id, (await records.read(id))?.record.publicId ?? '')],
    ['is discarded', async () => await enqueue(await receiving(), discarding(1))],
  ];

  test.each(WAYS)('is freed and the address is removed when the upload %s', async (_name, leave) => {
    const { id } = await waiting(shareOf('192.0.2.1', 2));
    expect(await space.connection.hget(space.keys.record(id), 'address')).toBe('192.0.2.1');
    await leave(id);
    expect([await shares(), await space.connection.hget(space.keys.record(id), 'address')]).toEqual([{}, null]);
    expect(JSON.stringify(await space.connection.xrange(space.keys.events, '-', '+'))).not.toContain('192.0.2.1');
  });

  test('does not include a requeued upload, because its address is no longer stored', async () => {
    const { id } = await waiting(shareOf('192.0.2.1', 1));
    applied(await records.begin(id));
    applied(await records.requeue(id, 1));
    expect([await shares(), verdict(await enqueue(await receiving(), shareOf('192.0.2.1', 1)))]).toEqual([
      {},
      'applied',
    ]);
    expect(await waitingIds()).toHaveLength(2);
  });
});

test('every script uses only keys of one slot, as a cluster requires', async () => {
  const cluster = await startRedisCluster();
  const there = await openRecordSpace(cluster.place);
  const queue = new UploadQueue(there.connection, there.keys, silentLog);
  try {
    const limits: QueueLimits = { capacity: 1, discards: true, perAddress: 5, address: '192.0.2.1' };
    const caller = callerOf('acme', { waiting: 5, storedBytes: 1e9, createPerMinute: 9 }, { ticket: ticketFor(5) });
    const [first, second] = [newUpload({ caller }), newUpload({ caller })];
    for (const upload of [first, second]) {
      applied(await there.records.open(upload, limits));
      applied(await there.records.enqueue(upload.id, upload.fencingToken, STORED, limits));
    }
    expect((await there.records.read(first.id))?.record.state).toBe('discarded');
    expect(await new Backlog(there.store, there.keys).read('192.0.2.1')).toMatchObject({ waiting: 1, ofAddress: 1 });
    expect(await useOf(there, 'acme')).toMatchObject({ waiting: 1, storedBytes: STORED.sizeBytes, createPerMinute: 2 });
    const asked = { tenant: 'acme', state: undefined, sinceMs: undefined, after: undefined, limit: 9 };
    expect((await new TenantUploads(there).list(asked)).reads).toHaveLength(2);
    expect(await checkQuota(there, caller)).toBeUndefined();
    const sets = new UploadSets(there.connection, there.keys);
    await there.connection.zadd(there.keys.waiting, 1, first.id);
    expect((await sets.audit(9)).removed).toEqual([first.id]);
    expect(await sets.missingPermits()).toEqual(new Map([[OTHER_KIND, 1]]));
    await queue.add(OTHER_KIND);
    expect(await sets.missingPermits()).toEqual(new Map());
    expect((await there.records.read(second.id))?.queuePosition).toBe(1);
    const taken = await there.records.take({ kind: OTHER_KIND, id: '1' });
    expect(!taken.nothing && applied(taken.outcome).record?.id).toBe(second.id);
    await there.records.forget(second.id, 'p');
  } finally {
    await queue.close();
    await there.close();
    await cluster.stop();
  }
});
