import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { isFinalState } from '../../src/api.ts';
import type { ProgressState } from '../../src/progress/progress.ts';
import { decodeProgress, type RecordFields } from '../../src/progress/record-fields.ts';
import type { ChangeOutcome } from '../../src/progress/record-change.ts';
import type { UploadRecords } from '../../src/progress/record.ts';
import { newUpload, openRecordSpace, PROBLEM, RESULT, STORED, type RecordSpace } from '../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';

const PROCESSES = 3;

let redis: RedisServer;
let space: RecordSpace;
let processes: UploadRecords[];

beforeAll(async () => {
  redis = await startRedisServer();
  space = await openRecordSpace(redis.url);
  processes = [space.records, space.another(), space.another()];
});
afterAll(async () => {
  await space.close();
  await redis.stop();
});

/** What a process does to the one upload, as holder of a receipt or an attempt that may long be overtaken. */
type Act = (records: UploadRecords, id: string) => Promise<ChangeOutcome>;

const receipt = fc.constantFrom('receipt-0', 'receipt-1', 'receipt-2');
const attempt = fc.integer({ min: 1, max: 6 });
const act: fc.Arbitrary<Act> = fc.oneof(
  receipt.map((held): Act => (records, id) => records.open({ ...newUpload(), id, receipt: held })),
  fc.tuple(receipt, fc.nat(1000)).map(([held, bytes]): Act => (records, id) => records.receive(id, held, bytes, 1000)),
  receipt.map((held): Act => (records, id) => records.enqueue(id, held, STORED)),
  receipt.map((held): Act => (records, id) => records.refuse(id, held, PROBLEM, { receivedBytes: 1, type: null })),
  fc.constant<Act>((records, id) => records.begin(id)),
  fc.constant<Act>((records, id) => records.begin(id)),
  fc.tuple(attempt, fc.nat(5), fc.double({ min: 0, max: 1, noNaN: true })).map(
    ([held, sequence, fraction]): Act => (records, id) => records.advance(id, held, sequence, 'resize', fraction),
  ),
  attempt.map((held): Act => (records, id) => records.complete(id, held, RESULT)),
  attempt.map((held): Act => (records, id) => records.fail(id, held, PROBLEM)),
  attempt.map((held): Act => (records, id) => records.handBack(id, held)),
  fc.constant<Act>((records, id) => records.cancel(id)),
  fc.constant<Act>((records, id) => records.bury(id)),
);

/** A way that ends well, so that the later states are met often; what is random comes in between. */
const usualWay: readonly Act[] = [
  (records, id) => records.open({ ...newUpload(), id, receipt: 'receipt-0' }),
  (records, id) => records.receive(id, 'receipt-0', 700, 1000),
  (records, id) => records.enqueue(id, 'receipt-0', STORED),
  (records, id) => records.begin(id),
  (records, id) => records.advance(id, 1, 1, 'resize', 0.4),
  (records, id) => records.complete(id, 1, RESULT),
];

/** What happened to the upload, in the one order that Redis knows. */
async function history(id: string): Promise<ProgressState[]> {
  const entries = await space.connection.xrange(space.keys.events, '-', '+');
  return entries.flatMap(([, flat]) => {
    const [, , , jobId, , data] = flat;
    return jobId === id ? [decodeProgress(id, JSON.parse(data ?? '') as RecordFields)] : [];
  });
}

/** The rules that a change may not break, given the state before it. */
function expectLawful(before: ProgressState | undefined, after: ProgressState): void {
  expect(after.version).toBe((before?.version ?? 0) + 1);
  expect(after.percent === 100).toBe(after.state === 'completed');
  if (before === undefined) return;
  expect(after.attempt).toBeGreaterThanOrEqual(before.attempt);
  expect(before.deleted).toBe(false);
  const isRestart = isFinalState(before.state) && after.state === 'receiving';
  if (isRestart) expect([before.state === 'completed', after.percent]).toEqual([false, 0]);
  else expect(after.percent).toBeGreaterThanOrEqual(before.percent);
  // A final state is left by a restart alone; a tombstone over it keeps it.
  if (isFinalState(before.state) && !isRestart) expect([after.state, after.deleted]).toEqual([before.state, true]);
}

test('whatever several processes do at once, versions grow, percents never fall, and an outcome stands', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(PROCESSES - 1), act), { maxLength: 30 }), fc.nat(PROCESSES - 1), async (others, usual) => {
      const id = randomUUID();
      const acts: Act[][] = Array.from({ length: PROCESSES }, () => []);
      for (const [process, one] of others) acts[process]?.push(one);
      acts[usual]?.unshift(...usualWay);
      const outcomes = await Promise.all(
        processes.map(async (records, index) => {
          const made: ChangeOutcome[] = [];
          for (const one of acts[index] ?? []) made.push(await one(records, id));
          return made;
        }),
      );
      const states = await history(id);
      for (const [index, state] of states.entries()) expectLawful(states[index - 1], state);
      const versions = outcomes.flat().flatMap((outcome) => (outcome.made ? [outcome.version] : []));
      expect(versions.sort((a, b) => a - b)).toEqual(states.map(({ version }) => version));
      const read = await space.records.read(id);
      const { eventAtMs: _, ...last } = states.at(-1) ?? {};
      expect(read?.record ?? {}).toMatchObject(last);
      expect(typeof read?.queuePosition === 'number').toBe(read?.record.state === 'queued');
    }),
    { numRuns: 150 },
  );
});

test('of all who would end an upload at once exactly one does', async () => {
  for (let round = 0; round < 20; round++) {
    const { id, receipt: held } = newUpload();
    await space.records.open({ ...newUpload(), id, receipt: held });
    await space.records.enqueue(id, held, STORED);
    await space.records.begin(id);
    const enders: Act[] = [
      (records) => records.complete(id, 1, RESULT),
      (records) => records.fail(id, 1, PROBLEM),
      (records) => records.cancel(id),
      (records) => records.fail(id, undefined, PROBLEM),
    ];
    const outcomes = await Promise.all(enders.map((end, index) => end(processes[(index + round) % PROCESSES] ?? space.records, id)));
    expect(outcomes.map((outcome) => (outcome.made ? 'made' : outcome.refusal)).sort()).toEqual(['final', 'final', 'final', 'made']);
    expect((await history(id)).filter(({ state }) => isFinalState(state))).toHaveLength(1);
  }
});
