import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { isFinalState } from '../../src/wire/documents.ts';
import type { ProgressState } from '../../src/record/progress.ts';
import { decodeProgress, type RecordFields } from '../../src/record/record-fields.ts';
import type { ChangeOutcome } from '../../src/record/change-outcome.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import {
  applied,
  newUpload,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';

const PROCESSES = 3;

let space: RecordSpace;
let processes: UploadRecords[];

useRecords('file', (opened) => {
  space = opened;
  processes = [space.records, space.another(), space.another()];
});

/** A change of the upload by a process. Its fencing token or attempt may have been overtaken long ago. */
type Act = (records: UploadRecords, id: string) => Promise<ChangeOutcome>;

const fencingToken = fc.constantFrom('token-0', 'token-1', 'token-2');
const attempt = fc.integer({ min: 1, max: 6 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fencingToken.map(
    (held): Act =>
      (records, id) =>
        records.open({ ...newUpload(), id, fencingToken: held }),
  ),
  fc.tuple(fencingToken, fc.nat(1000)).map(
    ([held, bytes]): Act =>
      (records, id) =>
        records.receive(id, held, bytes, 1000),
  ),
  fencingToken.map(
    (held): Act =>
      (records, id) =>
        records.enqueue(id, held, STORED),
  ),
  fencingToken.map(
    (held): Act =>
      (records, id) =>
        records.reject(id, held, PROBLEM, { receivedBytes: 1, type: null }),
  ),
  fc.constant<Act>((records, id) => records.begin(id)),
  fc.constant<Act>((records, id) => records.begin(id)),
  fc.tuple(attempt, fc.nat(5), fc.double({ min: 0, max: 1, noNaN: true })).map(
    ([held, sequence, fraction]): Act =>
      (records, id) =>
        records.advance(id, held, sequence, 'resize', fraction),
  ),
  attempt.map(
    (held): Act =>
      (records, id) =>
        records.complete(id, held, RESULT),
  ),
  attempt.map(
    (held): Act =>
      (records, id) =>
        records.fail(id, held, PROBLEM),
  ),
  fc.tuple(attempt, fc.nat(5)).map(
    ([held, sequence]): Act =>
      (records, id) =>
        records.advance(id, held, sequence, 'resize', 0.5, [VARIANT]),
  ),
  attempt.map(
    (held): Act =>
      (records, id) =>
        records.requeue(id, held),
  ),
  attempt.map(
    (held): Act =>
      (records, id) =>
        records.requeue(id, held, { faults: 1 }),
  ),
  fc.constant<Act>((records, id) => records.cancel(id)),
  fc.constant<Act>((records, id) => records.delete(id)),
);

const VARIANT = {
  name: '160',
  format: 'jpeg',
  width: 1,
  height: 1,
  size: 1,
  url: '/variants/public/160',
  key: 'attempt-1/160.jpeg',
  sha256: 'a',
};

/** The changes of an upload that completes. They make the later states frequent. Random changes come in between. */
const usualWay: readonly Act[] = [
  (records, id) => records.open({ ...newUpload(), id, fencingToken: 'token-0' }),
  (records, id) => records.receive(id, 'token-0', 700, 1000),
  (records, id) => records.enqueue(id, 'token-0', STORED),
  (records, id) => records.begin(id),
  (records, id) => records.advance(id, 1, 1, 'resize', 0.4),
  (records, id) => records.complete(id, 1, RESULT),
];

let readTo = '-';

/** Returns the changes of the upload since the previous call, in the order of Redis. */
async function newChanges(id: string): Promise<ProgressState[]> {
  const entries = await space.connection.xrange(space.keys.events, readTo, '+');
  const [last] = entries.at(-1) ?? [];
  if (last !== undefined) readTo = `(${last}`;
  return entries.flatMap(([, flat]) => {
    const [, , , jobId, , data] = flat;
    return jobId === id ? [decodeProgress(id, JSON.parse(data ?? '') as RecordFields)] : [];
  });
}

/** Checks the rules that no change may break, given the state before it. */
function expectLawful(before: ProgressState | undefined, after: ProgressState): void {
  expect(after.version).toBe((before?.version ?? 0) + 1);
  expect(after.percent === 100).toBe(after.state === 'completed');
  if (before === undefined) return;
  expect(after.attempt).toBeGreaterThanOrEqual(before.attempt);
  expect(before.deleted).toBe(false);
  const isRestart = isFinalState(before.state) && after.state === 'receiving';
  if (isRestart) expect([before.state === 'completed', after.percent]).toEqual([false, 0]);
  else expect(after.percent).toBeGreaterThanOrEqual(before.percent);
  // Only a restart leaves a final state. A tombstone keeps it.
  if (isFinalState(before.state) && !isRestart) expect([after.state, after.deleted]).toEqual([before.state, true]);
}

test('versions grow, percents never fall and outcomes stay under concurrent changes of several processes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(PROCESSES - 1), act), { maxLength: 30 }),
      fc.nat(PROCESSES - 1),
      async (others, usual) => {
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
        const states = await newChanges(id);
        for (const [index, state] of states.entries()) expectLawful(states[index - 1], state);
        const versions = outcomes.flat().flatMap((outcome) => (outcome.applied ? [outcome.version] : []));
        expect(versions.sort((a, b) => a - b)).toEqual(states.map(({ version }) => version));
        const read = await space.records.read(id);
        const { eventAtMs: _, ...last } = states.at(-1) ?? {};
        expect(read?.record ?? {}).toMatchObject(last);
        expect(typeof read?.queuePosition === 'number').toBe(read?.record.state === 'queued');
      },
    ),
    { numRuns: 150 },
  );
});

test('only one of several changes that end an upload at the same time is applied', async () => {
  for (let round = 0; round < 20; round++) {
    const { id, fencingToken: held } = newUpload();
    await space.records.open({ ...newUpload(), id, fencingToken: held });
    await space.records.enqueue(id, held, STORED);
    await space.records.begin(id);
    const finalChanges: Act[] = [
      (records) => records.complete(id, 1, RESULT),
      (records) => records.fail(id, 1, PROBLEM),
      (records) => records.cancel(id),
      (records) => records.fail(id, undefined, PROBLEM),
    ];
    const outcomes = await Promise.all(
      finalChanges.map((end, index) => end(processes[(index + round) % PROCESSES] ?? space.records, id)),
    );
    expect(outcomes.map((outcome) => (outcome.applied ? 'applied' : outcome.rejection)).sort()).toEqual([
      'applied',
      'final',
      'final',
      'final',
    ]);
    expect((await newChanges(id)).filter(({ state }) => isFinalState(state))).toHaveLength(1);
  }
});

describe('a stop at any moment of an attempt', () => {
  /** All changes of a worker in one attempt, to its end. */
  const work: readonly Act[] = [
    (records, id) => records.advance(id, 1, 1, 'decode', 0.2),
    (records, id) => records.advance(id, 1, 2, 'variants', 0.6, [VARIANT]),
    (records, id) => records.advance(id, 1, 3, 'variants', 0.7),
    (records, id) => records.complete(id, 1, RESULT),
  ];
  const stops = {
    cancel: (records: UploadRecords, id: string) => records.cancel(id),
    delete: (records: UploadRecords, id: string) => records.delete(id),
  };

  test.each(['cancel', 'delete'] as const)('wins before the completion and not after it: %s', async (stop) => {
    for (let before = 0; before <= work.length; before += 1) {
      const { id } = await uploadIn(space.records, 'processing');
      for (const act of work.slice(0, before)) applied(await act(space.records, id));
      const isCompleted = before === work.length;
      // A tombstone does not change an outcome.
      expect(verdict(await stops[stop](processes[1] ?? space.records, id))).toBe(
        isCompleted && stop === 'cancel' ? 'final' : 'applied',
      );
      for (const act of work.slice(before))
        expect(verdict(await act(space.records, id))).toBe(stop === 'cancel' ? 'final' : 'deleted');
      const record = (await space.records.read(id))?.record;
      expect(record?.state).toBe(isCompleted ? 'completed' : 'cancelled');
      if (!isCompleted || stop === 'delete') expect(record?.variants).toEqual({});
    }
  });

  test('leaves one outcome and no variant of another under concurrent changes', async () => {
    const delays = fc.array(fc.nat(3), { minLength: 4, maxLength: 4 });
    const property = fc.asyncProperty(
      delays,
      fc.nat(12),
      fc.constantFrom('cancel' as const, 'delete' as const),
      async (gaps, moment, stop) => {
        const { id } = await uploadIn(space.records, 'processing');
        const worker = async (): Promise<string[]> => {
          const verdicts: string[] = [];
          for (const [index, act] of work.entries()) {
            for (let turn = 0; turn < (gaps[index] ?? 0); turn += 1) await space.store.ping();
            verdicts.push(verdict(await act(space.records, id)));
          }
          return verdicts;
        };
        const stopper = async (): Promise<string> => {
          for (let turn = 0; turn < moment; turn += 1) await space.store.ping();
          return verdict(await stops[stop](processes[1] ?? space.records, id));
        };
        const [verdicts, stopped] = await Promise.all([worker(), stopper()]);
        const record = (await space.records.read(id))?.record;
        const isCompleted = verdicts.at(-1) === 'applied';
        // All changes before one moment were applied, and none after it.
        expect(verdicts.lastIndexOf('applied')).toBe(verdicts.filter((word) => word === 'applied').length - 1);
        expect([record?.state, stopped === 'applied']).toEqual([
          isCompleted ? 'completed' : 'cancelled',
          !isCompleted || stop === 'delete',
        ]);
        expect(Object.keys(record?.variants ?? {})).toEqual(isCompleted && stop === 'cancel' ? ['160'] : []);
        expect((await newChanges(id)).filter(({ state, deleted }) => isFinalState(state) && !deleted).length).toBe(
          isCompleted || stop === 'cancel' ? 1 : 0,
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

test('deaths are counted exactly if several attempts take over from each other', async () => {
  const { id } = await uploadIn(space.records, 'queued');
  const begun = await Promise.all(
    Array.from({ length: 6 }, (_, index) => (processes[index % PROCESSES] ?? space.records).begin(id)),
  );
  const minted = begun.map((outcome) => applied(outcome).record);
  expect(new Set(minted.map((record) => record?.attempt))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  for (const record of minted) expect(record?.deaths).toBe((record?.attempt ?? 0) - 1);
});
