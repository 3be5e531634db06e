import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { QueueLimits } from '../../src/record/record-change.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { UploadSets } from '../../src/queue/upload-sets.ts';
import { newUpload, PROBLEM, STORED, type RecordSpace } from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';

const PROCESSES = 3;
const UPLOADS = 6;
const CAPACITY = 3;
const SHARE = 2;
const ADDRESSES = ['192.0.2.1', '2001:db8:0:1::/64'] as const;

let space: RecordSpace;
let processes: UploadRecords[];

useRecords('file', (opened) => {
  space = opened;
  processes = [space.records, space.another(), space.another()];
});

/** A change of one of the uploads, with the fencing token or with an attempt that may have been overtaken. */
interface Act {
  /** True if the change brings back an accepted upload, whether or not there is a free place. */
  isReturn?: true;
  run(records: UploadRecords, id: string): Promise<unknown>;
}

const queueLimits: fc.Arbitrary<QueueLimits> = fc.record({
  capacity: fc.constant(CAPACITY),
  discards: fc.boolean(),
  perAddress: fc.constant(SHARE),
  address: fc.constantFrom(...ADDRESSES),
});
const attempt = fc.integer({ min: 1, max: 3 });
const enter: fc.Arbitrary<Act> = queueLimits.map((asked) => ({
  async run(records, id) {
    await records.open({ ...newUpload(), id, fencingToken: 'r' }, asked);
    await records.enqueue(id, 'r', STORED, asked);
  },
}));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: enter },
  queueLimits.map((asked): Act => ({ run: (records, id) => records.enqueue(id, 'r', STORED, asked) })),
  fc.constant<Act>({ run: (records, id) => records.begin(id) }),
  attempt.map((held): Act => ({ isReturn: true, run: (records, id) => records.requeue(id, held) })),
  fc.constant<Act>({ run: (records, id) => records.fail(id, undefined, PROBLEM) }),
  fc.constant<Act>({ run: (records, id) => records.cancel(id) }),
  fc.constant<Act>({ run: (records, id) => records.delete(id) }),
  fc.constant<Act>({
    async run(records, id) {
      const read = await records.read(id);
      if (read !== undefined) await records.forget(id, read.record.publicId);
    },
  }),
);

/** Returns the content of the sets, and the content that follows from the records. */
async function compare(ids: readonly string[]): Promise<{ kept: unknown; expected: unknown }> {
  const queued: string[] = [];
  const shares: Record<string, string> = {};
  for (const id of ids) {
    const [state, address] = await space.connection.hmget(space.keys.record(id), 'state', 'address');
    if (state === 'queued') queued.push(id);
    else expect([state, address]).toEqual([state, null]);
    if (address != null) shares[address] = String(Number(shares[address] ?? 0) + 1);
  }
  const kept = [
    (await space.connection.zrange(space.keys.waiting, '0', '-1')).sort(),
    await space.connection.hgetall(space.keys.waitingByAddress),
  ];
  return { kept, expected: [queued.sort(), shares] };
}

test('the waiting set, the shares of addresses and the records agree after concurrent changes', async () => {
  const sets = new UploadSets(space.connection, space.keys);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(PROCESSES - 1), fc.nat(UPLOADS - 1), act), { minLength: 5, maxLength: 60 }),
      async (steps) => {
        const ids = Array.from({ length: UPLOADS }, () => randomUUID());
        let mostWaiting = 0;
        await Promise.all(
          processes.map(async (records, index) => {
            for (const [, upload, one] of steps.filter(([process]) => process === index)) {
              await one.run(records, ids[upload] ?? '');
              mostWaiting = Math.max(mostWaiting, await space.connection.zcard(space.keys.waiting));
            }
          }),
        );
        const { kept, expected } = await compare(ids);
        expect(kept).toEqual(expected);
        if (steps.every(([, , { isReturn }]) => isReturn !== true)) expect(mostWaiting).toBeLessThanOrEqual(CAPACITY);
        await sets.audit(500);
        expect((await compare(ids)).kept).toEqual(kept);
        for (const id of ids) await space.records.delete(id);
        expect([
          await space.connection.exists(space.keys.waiting),
          await space.connection.exists(space.keys.waitingByAddress),
        ]).toEqual([0, 0]);
      },
    ),
    { numRuns: 120 },
  );
});
