import { DeliveryQueue } from '../../src/delivery/delivery-queue.ts';
import { PublicAddresses } from '../../src/http/public-address.ts';
import { closeConnection, openWaitingConnection, RedisRecordStore } from '../../src/queue/connection.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { WEBHOOK_EVENTS } from '../../src/wire/webhook-schemas.ts';
import { sendWebhooks } from '../../workers/webhooks/webhook-sending.ts';
import { eventually } from './eventually.ts';
import { silentLog, uploadIn } from './record-space.ts';
import type { Service } from './service.ts';
import { SECRET } from './webhook-receiver.ts';

/** Cancels an upload whose webhook then fails at every try, because its endpoint is at a private address. */
export async function failWebhook({ redis }: Pick<Service, 'redis'>, prefix: string): Promise<void> {
  const connection = openWaitingConnection(redis.url, silentLog);
  const keys = queueKeys(prefix);
  const records = new UploadRecords(new RedisRecordStore(connection), keys, {
    retentionMs: 60_000,
    sendsWebhooks: () => true,
  });
  const queue = new DeliveryQueue(connection, keys, silentLog);
  const endpoint = {
    tenant: 'default',
    id: 'main',
    url: 'http://10.0.0.1/',
    secrets: [SECRET],
    events: WEBHOOK_EVENTS,
  };
  const sending = await sendWebhooks({
    connection,
    keys,
    endpoints: { of: () => [endpoint] },
    addresses: new PublicAddresses([]),
    log: silentLog,
    nowMs: () => Date.now(),
    pauseMs: () => 1,
  });
  await uploadIn(records, 'cancelled');
  await eventually('the webhook to fail', async () => (await queue.failed(1)).count > 0);
  await sending.close(0);
  await queue.close();
  await closeConnection(connection);
}
