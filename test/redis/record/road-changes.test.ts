import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { toProgress } from '../../../src/record/progress.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { newUpload, STORED, verdict, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';

const ROAD = { name: 'import', url: 'https://files.example/a.jpg?signature=secret' } as const;

let space: RecordSpace;
useRecords('test', (opened) => (space = opened));

async function imported(): Promise<string> {
  const { id, fencingToken, ...rest } = newUpload();
  await space.records.open({ id, fencingToken, ...rest });
  await space.records.roads.set(id, fencingToken, { road: ROAD, stage: 'fetch', sha256: 'a'.repeat(64) });
  return id;
}

async function read(id: string): Promise<UploadRecord> {
  const found = (await space.records.read(id))?.record;
  if (found === undefined) throw new Error('no record');
  return found;
}

const attemptOf = (record: UploadRecord) =>
  toProgress(record, { nowMs: record.updatedAtMs, queuePosition: null }).attempt;

describe('an upload that a worker fetches', () => {
  test('has its road and its stage until its bytes are stored', async () => {
    const id = await imported();
    expect(await read(id)).toMatchObject({ state: 'receiving', stage: 'fetch', road: ROAD });
    const token = randomUUID();
    expect(verdict(await space.records.roads.beginFetch(id, token))).toBe('applied');
    await space.records.enqueue(id, token, STORED);
    expect(await read(id)).toMatchObject({ state: 'queued', road: null, announcedSha256: 'a'.repeat(64) });
  });

  test.each(['cancel', 'delete'] as const)('loses its road by a %s', async (end) => {
    const id = await imported();
    await space.records[end](id);
    expect((await read(id)).road).toBeNull();
    expect(verdict(await space.records.roads.beginFetch(id, randomUUID()))).not.toBe('applied');
  });

  test('counts each beginning as an attempt, and the first attempt at processing as none', async () => {
    const id = await imported();
    const attempts = [attemptOf(await read(id))];
    const tokens = [randomUUID(), randomUUID()] as const;
    for (const token of tokens) {
      await space.records.roads.beginFetch(id, token);
      attempts.push(attemptOf(await read(id)));
    }
    await space.records.enqueue(id, tokens[1], STORED);
    attempts.push(attemptOf(await read(id)));
    await space.records.begin(id);
    attempts.push(attemptOf(await read(id)));
    await space.records.begin(id);
    attempts.push(attemptOf(await read(id)));
    expect(attempts).toEqual([0, 1, 2, 2, 2, 3]);
  });

  test('rejects the reports of a worker after another one has begun', async () => {
    const id = await imported();
    const [first, second] = [randomUUID(), randomUUID()];
    await space.records.roads.beginFetch(id, first);
    await space.records.roads.beginFetch(id, second);
    expect(verdict(await space.records.receive(id, first, 10, 100))).toBe('fenced');
    expect(verdict(await space.records.enqueue(id, first, STORED))).toBe('fenced');
    expect(verdict(await space.records.receive(id, second, 10, 100))).toBe('applied');
  });

  test('is not begun more than 10 times', async () => {
    const id = await imported();
    for (let begun = 0; begun < 10; begun += 1)
      expect(verdict(await space.records.roads.beginFetch(id, randomUUID()))).toBe('applied');
    expect(verdict(await space.records.roads.beginFetch(id, randomUUID()))).toBe('exhausted');
  });

  test('loses its road to a PUT with the same id', async () => {
    const id = await imported();
    await space.records.roads.beginFetch(id, randomUUID());
    await space.records.open(newUpload({ id }));
    expect(await read(id)).toMatchObject({ road: null, fetches: 0, announcedSha256: null, stage: 'receive' });
    expect(verdict(await space.records.roads.beginFetch(id, randomUUID()))).toBe('state');
  });
});
