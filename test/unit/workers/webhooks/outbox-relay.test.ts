import { describe, expect, test } from '@jest/globals';
import type { OutboxEntry } from '../../../../src/delivery/outbox.ts';
import type { WebhookEndpoint } from '../../../../src/delivery/webhook-endpoint.ts';
import type { WebhookMessage } from '../../../../src/delivery/webhook-message.ts';
import { OutboxRelay, type RelayParts } from '../../../../workers/webhooks/outbox-relay.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { silentLog } from '../../../helpers/record-space.ts';

const ID = '0b6c4f0e-7d1c-4f0a-9a53-0d0a0f6f2f11';

function entryOf(fields: Record<string, string>): OutboxEntry {
  const record = { id: ID, event: 'completed', state: 'completed', version: '9', updatedAt: '1000', createdAt: '1' };
  return { entryId: '1-1', fields: { ...record, name: 'a.jpg', stage: 'done', percent: '100', ...fields } };
}

function endpointOf(tenant: string, id: string): WebhookEndpoint {
  return { tenant, id, url: 'https://app.example/', secrets: [], events: ['upload.completed'] };
}

interface Sent {
  message: WebhookMessage;
  endpoints: readonly WebhookEndpoint[];
}

/** Relays the entries and resolves with the added messages when all entries were removed. */
async function relay(entries: OutboxEntry[], more: Partial<RelayParts> = {}): Promise<Sent[]> {
  const added: Sent[] = [];
  let removed = 0;
  let end: () => void = () => undefined;
  const ended = new Promise<OutboxEntry[]>((resolve) => (end = () => resolve([])));
  const unread = [...entries];
  const outbox = {
    read: async () => (unread.length > 0 ? unread.splice(0) : await ended),
    readAbandoned: async () => [],
    remove: async (those: readonly OutboxEntry[]) => {
      removed += those.length;
    },
  };
  const queue = {
    add: async (messages: readonly Sent[]) => {
      added.push(...messages);
    },
    dropStale: async () => undefined,
  };
  const endpoints = { of: (tenant: string) => [endpointOf(tenant, 'main'), endpointOf(tenant, 'stopped')] };
  const stopped = { has: async ({ id }: WebhookEndpoint) => id === 'stopped' };
  const parts = { outbox, queue, endpoints, stopped, mountPath: '', log: silentLog, nowMs: () => 0, ...more };
  const running = new OutboxRelay(parts);
  running.start();
  await eventually('all entries to be removed', () => removed === entries.length);
  end();
  await running.close();
  return added;
}

describe('the relay of the outbox', () => {
  test('gives a webhook to the endpoints of its tenant that are not stopped', async () => {
    const [sent, ...others] = await relay([entryOf({ tenant: 'acme' })]);
    expect(others).toEqual([]);
    expect(sent?.message).toMatchObject({ id: `${ID}.9`, type: 'upload.completed', tenant: 'acme', atMs: 1000 });
    expect(sent?.endpoints).toEqual([endpointOf('acme', 'main')]);
  });

  test('counts uploads of the open mode as those of the tenant default', async () => {
    const [sent] = await relay([entryOf({})]);
    expect(sent?.message.tenant).toBe('default');
    expect(JSON.parse(sent?.message.body ?? '')).toMatchObject({ data: { tenant: null, metadata: null } });
  });

  test('puts the metadata of the application and the mount path into the body', async () => {
    const [sent] = await relay([entryOf({ tenant: 'acme', appMetadata: '{"order":7}' })], { mountPath: '/media' });
    const links = { self: `/media/uploads/${ID}` };
    expect(JSON.parse(sent?.message.body ?? '')).toMatchObject({
      data: { tenant: 'acme', metadata: { order: 7 }, links },
    });
  });

  test('drops an event that no endpoint wants, and an entry that it does not understand', async () => {
    expect(await relay([entryOf({ event: 'failed' }), entryOf({ event: 'other' }), entryOf({ state: '' })])).toEqual(
      [],
    );
  });

  test('keeps the entries while Redis is away', async () => {
    let failures = 0;
    const unread = [entryOf({})];
    let isRemoved = false;
    const outbox = {
      read: async () => [],
      readAbandoned: async () => [],
      remove: async () => {
        isRemoved = true;
      },
    };
    const relaying = new OutboxRelay({
      outbox: { ...outbox, read: async () => (failures === 0 ? unread : await new Promise(() => undefined)) },
      queue: {
        add: async () => {
          failures += 1;
          throw new Error('away');
        },
        dropStale: async () => undefined,
      },
      endpoints: { of: (tenant) => [endpointOf(tenant, 'main')] },
      stopped: { has: async () => false },
      mountPath: '',
      log: silentLog,
      nowMs: () => 0,
    });
    relaying.start();
    await eventually('the failure', () => failures === 1);
    expect(isRemoved).toBe(false);
    void relaying.close();
  });
});
