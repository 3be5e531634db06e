import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { toMessage, type WebhookMessage } from '../../../src/delivery/webhook-message.ts';
import type { UploadRecords } from '../../../src/record/record.ts';
import type { Outbox } from '../../../src/delivery/outbox.ts';
import type { Manifest } from '../../../src/storage/manifest.ts';
import { applied, newUpload, PROBLEM, RESULT, STORED, type RecordSpace } from '../../helpers/record-space.ts';
import { openOutboxSpace } from '../../helpers/outbox-space.ts';
import { useSpace } from '../../helpers/use-space.ts';

let space: RecordSpace;
let outbox: Outbox;
let records: UploadRecords;

useSpace('test', openOutboxSpace, (opened) => ({ space, outbox, records } = opened));

/** Takes all entries out of the outbox. */
async function sent(): Promise<WebhookMessage[]> {
  const entries = await outbox.read();
  await outbox.remove(entries);
  return entries.map(({ fields }) => toMessage(fields, ''));
}

/** Receives and stores an upload. Returns its manifest. */
async function stored(id: string = randomUUID()): Promise<Manifest> {
  const upload = newUpload({ id });
  const { record } = applied(await records.open(upload));
  if (record === undefined) throw new Error('no record');
  applied(await records.enqueue(id, upload.fencingToken, STORED));
  const { publicId, fencingToken, version: sequence, createdAtMs } = record;
  const createdAt = new Date(createdAtMs).toISOString();
  return { id, publicId, fencingToken, name: 'a.jpg', createdAt, sequence, ...STORED };
}

/** Processes an upload to its end. */
async function end(id: string, outcome: 'completed' | 'failed'): Promise<void> {
  const attempt = applied(await records.begin(id)).record?.attempt ?? 0;
  applied(
    outcome === 'completed' ? await records.complete(id, attempt, RESULT) : await records.fail(id, attempt, PROBLEM),
  );
}

async function versionOf(id: string): Promise<number> {
  return (await records.read(id))?.record.version ?? 0;
}

async function retry(id: string): Promise<void> {
  applied(await records.retry(id, await versionOf(id)));
}

/** Deletes all data in Redis, and restores the upload as the janitor does. */
async function restore(manifest: Manifest): Promise<void> {
  await loseAll();
  applied(await records.restore(manifest));
}

async function loseAll(): Promise<void> {
  const keys = await space.connection.keys(`*${space.keys.bullPrefix}*`);
  expect(keys.length).toBeGreaterThan(0);
  await space.connection.del(...keys);
}

describe('the id of a webhook', () => {
  test.each(['completed', 'failed'] as const)(
    'is the same if Redis loses everything and the upload is %s again',
    async (outcome) => {
      const manifest = await stored();
      const { id } = manifest;
      await end(id, outcome);
      const [before] = await sent();
      expect(before?.id).toBe(`${id}.${await versionOf(id)}`);
      for (let loss = 0; loss < 2; loss++) {
        await restore(manifest);
        await end(id, outcome);
        expect((await sent()).map((message) => message.id)).toEqual([before?.id]);
      }
    },
  );

  test('is another one for each end of an upload, and the versions grow', async () => {
    const manifest = await stored();
    const { id } = manifest;
    await end(id, 'failed');
    await retry(id);
    await end(id, 'failed');
    await retry(id);
    await end(id, 'completed');
    applied(await records.delete(id));
    const all = await sent();
    expect(all.map(({ type }) => type.split('.')[1])).toEqual(['failed', 'failed', 'completed', 'deleted']);
    const versions = all.map((message) => Number(message.id.split('.')[1]));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test('is the same after a loss, although an operator had retried the upload before', async () => {
    const manifest = await stored();
    await end(manifest.id, 'failed');
    await retry(manifest.id);
    await end(manifest.id, 'completed');
    const [, completed] = await sent();
    await restore(manifest);
    await end(manifest.id, 'completed');
    expect((await sent()).map((message) => message.id)).toEqual([completed?.id]);
  });

  test('is the same after a loss if the upload was sent a second time under its id', async () => {
    const first = await stored();
    await end(first.id, 'failed');
    const second = await stored(first.id);
    await end(first.id, 'completed');
    const before = (await sent()).map((message) => message.id);
    await restore(second);
    await end(first.id, 'completed');
    expect([new Set(before).size, (await sent()).map((message) => message.id)]).toEqual([2, before.slice(1)]);
  });

  test('is another one for other bytes under an id that Redis has lost', async () => {
    const { id } = await stored();
    await end(id, 'completed');
    const before = await sent();
    await loseAll();
    await stored(id);
    await end(id, 'completed');
    expect((await sent())[0]?.id).not.toBe(before[0]?.id);
  });

  test('is the same for a restored upload that a full queue evicts again', async () => {
    const manifest = await stored();
    const limits = { capacity: 1, discards: true, perAddress: 0 };
    const evict = async (): Promise<(string | undefined)[]> => {
      const upload = newUpload();
      applied(await records.open(upload));
      applied(await records.enqueue(upload.id, upload.fencingToken, STORED, limits));
      return (await sent()).map((message) => message.id);
    };
    const before = await evict();
    await restore(manifest);
    expect([before[0]?.startsWith(manifest.id), await evict()]).toEqual([true, before]);
  });

  test('counts the changes of uploads of which no webhook is sent', async () => {
    const upload = newUpload();
    applied(await space.records.open(upload));
    applied(await space.records.cancel(upload.id));
    applied(await space.records.open({ ...upload, fencingToken: 'again' }));
    expect(await versionOf(upload.id)).toBe(3);
  });
});
