import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeliveryCounts } from '../../../../src/delivery/delivery-counts.ts';
import { DeliveryQueue } from '../../../../src/delivery/delivery-queue.ts';
import type { WebhookEndpoint } from '../../../../src/delivery/webhook-endpoint.ts';
import { PublicAddresses } from '../../../../src/http/public-address.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { WEBHOOK_EVENTS } from '../../../../src/wire/webhook-schemas.ts';
import { sendWebhooks, type SendingParts, type WebhookSending } from '../../../../workers/webhooks/webhook-sending.ts';
import { uploadRef } from '../../../../src/telemetry/upload-ref.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { patienceMs } from '../../../helpers/patience.ts';
import { applied, openRecordSpace, silentLog, uploadIn, type RecordSpace } from '../../../helpers/record-space.ts';
import { sharedRedis } from '../../../helpers/shared-redis.ts';
import { isSigned, SECRET, startReceiver, type WebhookReceiver } from '../../../helpers/webhook-receiver.ts';

const OLD_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

let space: RecordSpace;
let records: UploadRecords;
let receiver: WebhookReceiver;
let queue: DeliveryQueue;
let endpoints: WebhookEndpoint[];
const sendings: WebhookSending[] = [];

beforeEach(async () => {
  [space, receiver] = await Promise.all([openRecordSpace(await sharedRedis()), startReceiver()]);
  records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, sendsWebhooks: () => true });
  queue = new DeliveryQueue(space.connection, space.keys, silentLog);
  endpoints = [endpointAt(receiver.url)];
});
afterEach(async () => {
  await Promise.all(sendings.splice(0).map((sending) => sending.close(0)));
  await queue.close();
  await Promise.all([receiver.close(), space.close()]);
});

function endpointAt(url: string, more: Partial<WebhookEndpoint> = {}): WebhookEndpoint {
  return { tenant: 'default', id: 'main', url, secrets: [SECRET], events: WEBHOOK_EVENTS, ...more };
}

/** Starts the sending of a worker, with hardly a pause between two tries. */
async function start(more: Partial<SendingParts> = {}): Promise<WebhookSending> {
  const sending = await sendWebhooks({
    connection: space.connection,
    keys: space.keys,
    endpoints: { of: (tenant) => endpoints.filter((endpoint) => endpoint.tenant === tenant) },
    addresses: new PublicAddresses(['127.0.0.1']),
    log: silentLog,
    nowMs: () => Date.now(),
    tryLimitMs: patienceMs(5_000),
    pauseMs: () => 1,
    ...more,
  });
  sendings.push(sending);
  return sending;
}

async function untilReceived(count: number): Promise<void> {
  await eventually(`${count} webhooks to arrive`, () => receiver.received.length >= count);
}

async function untilNonePending(): Promise<void> {
  await eventually('no delivery to be pending', async () => (await queue.pending(1)).count === 0);
}

async function figures() {
  return await new DeliveryCounts(space.connection, space.keys).read(Date.now());
}

describe('webhooks', () => {
  test('are sent once, signed with each valid secret, and leave nothing in Redis', async () => {
    endpoints = [endpointAt(receiver.url, { secrets: [SECRET, OLD_SECRET] })];
    await start();
    const { id } = await uploadIn(records, 'completed');
    await untilReceived(1);
    await untilNonePending();
    const [received] = receiver.received;
    if (received === undefined) throw new Error('nothing received');
    expect([isSigned(received), isSigned(received, OLD_SECRET)]).toEqual([true, true]);
    expect(received.id).toBe(`${id}.${received.webhook.data.version}`);
    expect(received.webhook).toMatchObject({ type: 'upload.completed', data: { id, state: 'completed' } });
    expect(received.headers['content-type']).toBe('application/json');
    expect(await space.connection.xlen(space.keys.outbox)).toBe(0);
    await eventually('the job to be removed', async () => {
      const left = await space.connection.keys(`${space.keys.bullPrefix}:webhooks:default.*`);
      return left.length === 0;
    });
    expect((await figures()).tries).toEqual({ delivered: 1, retried: 0, abandoned: 0 });
  });

  test('are sent although they became final while no worker ran', async () => {
    await uploadIn(records, 'cancelled');
    expect(await figures()).toMatchObject({ pending: 1, oldestPendingMs: expect.any(Number) });
    await start();
    await untilReceived(1);
    await eventually('nothing to be pending', async () => (await figures()).oldestPendingMs === null);
    expect(receiver.received[0]?.webhook.type).toBe('upload.cancelled');
  });

  test('are sent after Redis has lost the outbox', async () => {
    await start();
    await uploadIn(records, 'cancelled');
    await untilReceived(1);
    await space.connection.del(space.keys.outbox);
    await uploadIn(records, 'cancelled');
    await untilReceived(2);
  });

  test('are sent only for the events that the endpoint wants', async () => {
    endpoints = [endpointAt(receiver.url, { events: ['upload.deleted'] })];
    await start();
    const { id } = await uploadIn(records, 'completed');
    applied(await records.delete(id));
    await untilReceived(1);
    await untilNonePending();
    expect(receiver.received.map(({ webhook }) => webhook.type)).toEqual(['upload.deleted']);
  });

  test('are repeated under the same id until the endpoint accepts them', async () => {
    receiver.answer = (response) => response.writeHead(receiver.received.length < 3 ? 500 : 200).end();
    await start();
    await uploadIn(records, 'completed');
    await untilReceived(3);
    await untilNonePending();
    expect(new Set(receiver.received.map(({ id, body }) => id + body)).size).toBe(1);
    expect((await figures()).tries).toEqual({ delivered: 1, retried: 2, abandoned: 0 });
  });

  test('that the last try did not deliver are kept, and an operator can send them again', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    await start();
    const { id } = await uploadIn(records, 'failed');
    const failed = await eventually('the delivery to be given up', async () => {
      const { deliveries } = await queue.failed(10);
      return deliveries[0];
    });
    expect(failed).toMatchObject({
      upload: uploadRef(id),
      type: 'upload.failed',
      endpoint: 'main',
      tries: 9,
      reason: 'status 500',
    });
    expect(receiver.received).toHaveLength(9);
    receiver.answer = (response) => response.writeHead(200).end();
    await queue.replay(failed.id);
    await untilReceived(10);
    await untilNonePending();
    expect(new Set(receiver.received.map(({ id: webhookId }) => webhookId)).size).toBe(1);
    expect(failed.id).not.toContain(id);
    expect((await queue.failed(10)).count).toBe(0);
    await eventually('the delivery to be unknown', async () => {
      const error = await queue.replay(failed.id).catch((reason: unknown) => reason);
      return (error as { code?: string }).code === 'unknown_delivery';
    });
  });

  test('can be sent again by their webhook-id too', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    await start();
    await uploadIn(records, 'failed');
    await eventually('the delivery to be given up', async () => (await queue.failed(1)).count === 1);
    receiver.answer = (response) => response.writeHead(200).end();
    await queue.replay(String(receiver.received[0]?.id));
    await untilNonePending();
    expect((await figures()).tries).toEqual({ delivered: 1, retried: 8, abandoned: 1 });
  });

  test('wait as long as a busy endpoint asks', async () => {
    const pauses: number[][] = [];
    receiver.answer = (response) => {
      if (receiver.received.length > 1) response.writeHead(200).end();
      else response.writeHead(503, { 'Retry-After': '7' }).end();
    };
    const pauseMs = (...pause: number[]): number => {
      pauses.push(pause);
      return 1;
    };
    await start({ pauseMs });
    await uploadIn(records, 'completed');
    await untilReceived(2);
    expect(pauses).toEqual([[1, 7000]]);
  });

  test('are not sent to an endpoint that answered 410, until its settings change', async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    await start();
    await uploadIn(records, 'completed');
    await eventually('the delivery to be given up', async () => (await queue.failed(1)).count === 1);
    await uploadIn(records, 'completed');
    await eventually('the outbox to be empty', async () => (await space.connection.xlen(space.keys.outbox)) === 0);
    await untilNonePending();
    expect(receiver.received).toHaveLength(1);
    receiver.answer = (response) => response.writeHead(200).end();
    endpoints = [endpointAt(`${receiver.url}?again`)];
    await uploadIn(records, 'completed');
    await untilReceived(2);
  });

  test('to one endpoint are not delayed if another one hangs', async () => {
    const hanging = await startReceiver();
    hanging.answer = () => undefined;
    try {
      endpoints = [endpointAt(hanging.url, { id: 'hanging' }), endpointAt(receiver.url)];
      await start();
      await Promise.all(Array.from({ length: 120 }, () => uploadIn(records, 'cancelled')));
      await untilReceived(120);
      // 20 at the same time. On a slow machine their time is over before the others are sent, and single tries follow.
      expect(hanging.received.length).toBeLessThan(40);
    } finally {
      await Promise.all(sendings.splice(0).map((sending) => sending.close(0)));
      await hanging.close();
    }
  });

  test('whose try is ended by a shutdown are sent by another worker, and the try does not count', async () => {
    receiver.answer = () => undefined;
    const first = await start();
    await uploadIn(records, 'completed');
    await untilReceived(1);
    sendings.splice(0);
    await first.close(0);
    receiver.answer = (response) => response.writeHead(200).end();
    await start();
    await untilReceived(2);
    await untilNonePending();
    expect((await figures()).tries).toEqual({ delivered: 1, retried: 0, abandoned: 0 });
  });

  test('of two workers are sent once each', async () => {
    await Promise.all([start(), start()]);
    await Promise.all(Array.from({ length: 40 }, () => uploadIn(records, 'cancelled')));
    await untilReceived(40);
    await untilNonePending();
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(40);
    expect(receiver.received).toHaveLength(40);
  });
});
