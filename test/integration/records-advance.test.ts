import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { UploadState } from '../../src/wire/documents.ts';
import { RecordChanger } from '../../src/record/record-change.ts';
import { applied, uploadIn, verdict, type RecordSpace } from '../helpers/record-space.ts';
import { useRecords } from '../helpers/use-records.ts';

let space: RecordSpace;
let changer: RecordChanger;

useRecords('file', (opened) => {
  space = opened;
  changer = new RecordChanger(space.store, space.keys, { retentionMs: 60_000 });
});

async function hashOf(id: string): Promise<Record<string, string>> {
  return await space.connection.hgetall(space.keys.record(id));
}

async function eventsOf(id: string): Promise<Record<string, string>[]> {
  const entries = await space.connection.xrange(space.keys.events, '-', '+');
  return entries.flatMap(([, flat]) => (flat[3] === id ? [JSON.parse(flat[5] ?? '') as Record<string, string>] : []));
}

const prepare: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'as it is': async () => undefined,
  deleted: async (id) => await space.records.delete(id),
  'past its retention': async (id) => await space.connection.hset(space.keys.record(id), 'expiresAt', '1'),
  'of a later sequence': async (id) => await space.connection.hset(space.keys.record(id), 'sequence', '5'),
  'of a later attempt': async (id) => await space.connection.hincrby(space.keys.record(id), 'attempt', 1),
  'further on': async (id) => await space.connection.hset(space.keys.record(id), 'percent', '98.7'),
  gone: async (id) => await space.connection.del(space.keys.record(id)),
};

const STATES: readonly UploadState[] = ['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled'];

const FINAL: readonly UploadState[] = ['completed', 'failed', 'cancelled'];

function expectedVerdict(state: UploadState, how: string): string {
  if (how === 'gone') return 'missing';
  if (how === 'deleted') return 'deleted';
  if (FINAL.includes(state)) return how === 'past its retention' ? 'expired' : 'final';
  if (state !== 'processing') return 'state';
  return how.startsWith('of a later') ? 'fenced' : 'applied';
}

describe('the script advance, which does not include the shared parts,', () => {
  test.each(STATES.flatMap((state) => Object.keys(prepare).map((how) => ({ state, how }))))(
    'decides and changes like the shared parts if the upload is $state and $how',
    async ({ state, how }) => {
      const { id } = await uploadIn(space.records, state);
      await prepare[how]?.(id);
      await space.connection.del(space.keys.events);
      const before = await hashOf(id);
      const outcome = await changer.run('advance', id, [1, 3, 62.5, 'resize']);
      expect(verdict(outcome)).toBe(expectedVerdict(state, how));
      const after = await hashOf(id);
      if (!outcome.applied) {
        expect([after, await eventsOf(id)]).toEqual([before, []]);
        return;
      }
      const changed = {
        version: String(Number(before['version']) + 1),
        sequence: '3',
        percent: how === 'further on' ? '98.7' : '62.5',
        stage: 'resize',
      };
      expect(after).toEqual({ ...before, ...changed, updatedAt: after['updatedAt'], nonce: after['nonce'] });
      const [{ at: _at, ...event } = {}] = await eventsOf(id);
      expect(after).toMatchObject(event);
      expect(outcome.version).toBe(Number(changed.version));
    },
  );

  test('applies a change only once if its reply was lost and it is sent again', async () => {
    const { id, attempt } = await uploadIn(space.records, 'processing');
    const asSentTwice = new RecordChanger(
      { runScript: async (...call) => (await space.store.runScript(...call), await space.store.runScript(...call)) },
      space.keys,
      { retentionMs: 1 },
    );
    const { version } = applied(await asSentTwice.run('advance', id, [attempt, 1, 50, 'resize']));
    expect((await space.records.read(id))?.record.version).toBe(version);
  });
});

describe('readProgress', () => {
  test.each(STATES)('returns the same as the whole record if the upload is %s', async (state) => {
    const { id } = await uploadIn(space.records, state);
    const whole = await space.records.read(id);
    const { state: progress, queuePosition, expiresAtMs } = (await space.records.readProgress(id)) ?? {};
    expect(whole?.record).toMatchObject(progress ?? { no: 'progress' });
    expect([queuePosition, expiresAtMs]).toEqual([whole?.queuePosition, whole?.record.expiresAtMs]);
    expect(queuePosition === null).toBe(state !== 'queued');
  });

  test('returns undefined if there is no upload', async () => {
    expect(await space.records.readProgress(randomUUID())).toBeUndefined();
  });
});
