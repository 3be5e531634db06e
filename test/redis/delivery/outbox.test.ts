import { describe, expect, test } from '@jest/globals';
import { openCaller } from '../../../src/access/caller.ts';
import type { Webhook } from '../../../src/wire/documents.ts';
import { webhookSchema } from '../../../src/wire/webhook-schemas.ts';
import type { Outbox } from '../../../src/delivery/outbox.ts';
import { toMessage, type WebhookMessage } from '../../../src/delivery/webhook-message.ts';
import { UploadRecords } from '../../../src/record/record.ts';
import {
  applied,
  LARGE_RESULT,
  newUpload,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  type RecordSpace,
} from '../../helpers/record-space.ts';
import { openOutboxSpace } from '../../helpers/outbox-space.ts';
import { useSpace } from '../../helpers/use-space.ts';

let space: RecordSpace;
let outbox: Outbox;
let records: UploadRecords;

useSpace('test', openOutboxSpace, (opened) => ({ space, outbox, records } = opened));

/** Reads all entries without removing them. */
async function messages(): Promise<WebhookMessage[]> {
  if ((await space.connection.xlen(space.keys.outbox)) === 0) return [];
  return (await outbox.read()).map(({ fields }) => toMessage(fields, ''));
}

/** Reads the only entry, and checks its body against the schema. */
async function onlyWebhook(): Promise<WebhookMessage & { webhook: Webhook }> {
  const all = await messages();
  expect(all).toHaveLength(1);
  const message = all[0] as WebhookMessage;
  const webhook = JSON.parse(message.body) as Webhook;
  expect(webhookSchema.safeParse(webhook).error).toBeUndefined();
  return { ...message, webhook };
}

describe('the outbox', () => {
  test.each(['completed', 'failed', 'cancelled'] as const)('has an entry for an upload that is %s', async (state) => {
    const { id } = await uploadIn(records, state);
    const upload = await records.read(id);
    const { type, tenant, id: webhookId, webhook } = await onlyWebhook();
    expect([type, tenant]).toEqual([`upload.${state}`, 'default']);
    expect(webhookId).toBe(`${id}.${upload?.record.version}`);
    expect(webhook.data).toMatchObject({ id, state, version: upload?.record.version, file: { name: 'a.jpg' } });
    expect(webhook.data.progress.final).toBe(true);
    expect(webhook.data.result).toEqual(state === 'completed' ? RESULT : null);
    expect(webhook.data.error?.code).toBe(state === 'failed' ? PROBLEM.code : undefined);
  });

  test('has a large result, also if the upload is deleted before the webhook is sent', async () => {
    const { id, attempt } = await uploadIn(records, 'processing');
    applied(await records.complete(id, attempt, LARGE_RESULT));
    applied(await records.delete(id));
    const [completed] = await messages();
    expect((JSON.parse(completed?.body ?? '') as Webhook).data.result).toEqual(LARGE_RESULT);
  });

  test('has an entry of a process without endpoints if the tenant had one when the upload was opened', async () => {
    const without = new UploadRecords(space.store, space.keys, { retentionMs: 60_000 });
    const caller = { ...openCaller, via: 'key', tenant: 'acme' } as const;
    await uploadIn(without, 'completed', { caller });
    expect(await messages()).toEqual([]);
    const { id } = await uploadIn(without, 'completed', { caller: { ...caller, hasWebhooks: true } });
    await without.delete(id);
    expect((await messages()).map(({ type, tenant }) => [type, tenant])).toEqual([
      ['upload.completed', 'acme'],
      ['upload.deleted', 'acme'],
    ]);
  });

  test('has an entry for a rejected file and for a request that broke off', async () => {
    const rejected = newUpload();
    const silent = newUpload();
    applied(await records.open(rejected));
    applied(await records.reject(rejected.id, rejected.fencingToken, PROBLEM, { receivedBytes: 5, type: null }));
    const { version } = applied(await records.open(silent));
    applied(await records.interrupt(silent.id, version, PROBLEM));
    expect((await messages()).map(({ type }) => type)).toEqual(['upload.failed', 'upload.failed']);
  });

  test('has an entry for an upload that a full queue evicted', async () => {
    const limits = { capacity: 1, discards: true, perAddress: 0 };
    const old = await uploadIn(records, 'queued');
    const upload = newUpload();
    applied(await records.open(upload));
    applied(await records.enqueue(upload.id, upload.fencingToken, STORED, limits));
    const { type, webhook } = await onlyWebhook();
    expect([type, webhook.data.id, webhook.data.state]).toEqual(['upload.discarded', old.id, 'discarded']);
  });

  test('reports the deletion of a completed upload with its name but without its result', async () => {
    const { id } = await uploadIn(records, 'completed');
    applied(await records.delete(id));
    const [completed, deleted] = await messages();
    const webhook = JSON.parse(deleted?.body ?? '') as Webhook;
    expect(webhookSchema.safeParse(webhook).error).toBeUndefined();
    expect([completed?.type, deleted?.type]).toEqual(['upload.completed', 'upload.deleted']);
    expect(webhook.data).toMatchObject({
      state: 'completed',
      result: null,
      file: { name: 'a.jpg', type: 'image/jpeg' },
    });
    expect(webhook.data.links.content).toBeUndefined();
  });

  test('reports the deletion of an unfinished upload once, with the state cancelled', async () => {
    const { id } = await uploadIn(records, 'processing');
    applied(await records.delete(id));
    await records.delete(id);
    const { type, webhook } = await onlyWebhook();
    expect([type, webhook.data.state]).toEqual(['upload.deleted', 'cancelled']);
  });

  test('has a second entry with a higher version if a failed upload is sent again', async () => {
    const upload = await uploadIn(records, 'failed');
    const again = { ...upload, fencingToken: 'again' };
    applied(await records.open(again));
    applied(await records.cancel(upload.id));
    const [failed, cancelled] = await messages();
    const versionIn = (message?: WebhookMessage): number => Number(message?.id.split('.')[1]);
    expect([failed?.type, cancelled?.type]).toEqual(['upload.failed', 'upload.cancelled']);
    expect(versionIn(cancelled)).toBeGreaterThan(versionIn(failed));
  });

  test('has no entry while no upload is final', async () => {
    await uploadIn(records, 'processing');
    expect(await messages()).toEqual([]);
  });

  test('has no entry without webhooks', async () => {
    const { id } = await uploadIn(space.records, 'completed');
    applied(await space.records.delete(id));
    expect(await space.connection.exists(space.keys.outbox)).toBe(0);
  });

  test('gives each entry to one reader, and none again after it was removed', async () => {
    await uploadIn(records, 'completed');
    const entries = await outbox.read();
    expect(entries).toHaveLength(1);
    await outbox.remove(entries);
    expect(await space.connection.xlen(space.keys.outbox)).toBe(0);
    expect(await outbox.readAbandoned()).toEqual([]);
  });

  test('gives an entry again if the worker that read it died', async () => {
    await uploadIn(records, 'completed');
    const [entry] = await outbox.read();
    expect(await outbox.readAbandoned()).toEqual([]);
    const { outbox: key } = space.keys;
    await space.connection.call('XCLAIM', [key, 'workers', 'worker', '0', String(entry?.entryId), 'IDLE', '60000']);
    expect(await outbox.readAbandoned()).toEqual([entry]);
  });
});
