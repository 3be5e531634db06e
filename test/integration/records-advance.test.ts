import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { UploadState } from '../../src/wire/documents.ts';
import { RecordChanger, type ChangeOutcome } from '../../src/record/record-change.ts';
import { made, openRecordSpace, uploadIn, verdict, type RecordSpace } from '../helpers/record-space.ts';
import { sharedRedis } from '../helpers/shared-redis.ts';

let space: RecordSpace;
let changer: RecordChanger;

beforeAll(async () => {
  space = await openRecordSpace(await sharedRedis());
  changer = new RecordChanger(space.store, space.keys, { retentionMs: 60_000 });
});
afterAll(async () => {
  await space.close();
});

/** The hash but for what differs between any two changes, and the event but for its time. */
async function traceOf(id: string): Promise<object> {
  const { updatedAt: _updatedAt, nonce: _nonce, ...hash } = await space.connection.hgetall(space.keys.record(id));
  const entries = await space.connection.xrange(space.keys.events, '-', '+');
  const events = entries.flatMap(([, flat]) =>
    flat[3] === id ? [JSON.parse(flat[5] ?? '') as Record<string, string>] : [],
  );
  return { hash, events: events.map(({ at: _at, updatedAt: _eventUpdatedAt, ...event }) => event) };
}

const wordOf = (outcome: ChangeOutcome) => [verdict(outcome), outcome.made ? outcome.version : outcome.record?.version];

const prepare: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'as it is': async () => undefined,
  deleted: async (id) => await space.records.bury(id),
  'past its retention': async (id) => await space.connection.hset(space.keys.record(id), 'expiresAt', '1'),
  'of a later sequence': async (id) => await space.connection.hset(space.keys.record(id), 'sequence', '5'),
  'of a later attempt': async (id) => await space.connection.hincrby(space.keys.record(id), 'attempt', 1),
  'further on': async (id) => await space.connection.hset(space.keys.record(id), 'percent', '98.7'),
  gone: async (id) => await space.connection.del(space.keys.record(id)),
};

const STATES: readonly UploadState[] = ['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled'];

describe('progress of an attempt, which has a script of its own, decides and changes as the script of all changes does', () => {
  test.each(STATES.flatMap((state) => Object.keys(prepare).map((how) => ({ state, how }))))(
    'where the upload is $state and $how',
    async ({ state, how }) => {
      const { id } = await uploadIn(space.records, state);
      await prepare[how]?.(id);
      const twin = randomUUID();
      await space.connection.copy(space.keys.record(id), space.keys.record(twin));
      await space.connection.del(space.keys.events);
      const advance = { attempt: 1, sequence: 3, percent: 62.5, stage: 'resize' };
      const own = await changer.advance(id, advance);
      const general = await changer.change(twin, {
        from: ['processing'],
        attempt: 1,
        sequence: 3,
        percent: 62.5,
        fields: { stage: 'resize' },
      });
      expect(wordOf(own)).toEqual(wordOf(general));
      expect(await traceOf(id)).toEqual(await traceOf(twin));
      expect(own.made).toBe(state === 'processing' && ['as it is', 'further on', 'past its retention'].includes(how));
    },
  );

  test('sent again after a reply that was lost, it is made once', async () => {
    const { id, attempt } = await uploadIn(space.records, 'processing');
    const asSentTwice = new RecordChanger(
      { runScript: async (...call) => (await space.store.runScript(...call), await space.store.runScript(...call)) },
      space.keys,
      { retentionMs: 1 },
    );
    const { version } = made(await asSentTwice.advance(id, { attempt, sequence: 1, percent: 50, stage: 'resize' }));
    expect((await space.records.read(id))?.record.version).toBe(version);
  });
});

describe('what progress is told from, read alone,', () => {
  test.each(STATES)('is what the whole record says, where it is %s', async (state) => {
    const { id } = await uploadIn(space.records, state);
    const whole = await space.records.read(id);
    const { state: progress, queuePosition, expiresAtMs } = (await space.records.readProgress(id)) ?? {};
    expect(whole?.record).toMatchObject(progress ?? { no: 'progress' });
    expect([queuePosition, expiresAtMs]).toEqual([whole?.queuePosition, whole?.record.expiresAtMs]);
    expect(queuePosition === null).toBe(state !== 'queued');
  });

  test('is nothing where there is no upload', async () => {
    expect(await space.records.readProgress(randomUUID())).toBeUndefined();
  });
});
