import { DeliveryQueue } from '../../src/delivery/delivery-queue.ts';
import { Outbox } from '../../src/delivery/outbox.ts';
import { StoppedEndpoints } from '../../src/delivery/stopped-endpoints.ts';
import type { WebhookEndpoints } from '../../src/delivery/webhook-endpoint.ts';
import { PublicAddresses } from '../../src/http/public-address.ts';
import { copyOf } from '../../src/queue/redis-client.ts';
import type { Config } from '../../src/settings/config.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { WebhookDeliveries, type DeliveryParts } from './webhook-deliveries.ts';

/** The webhooks of one worker process. */
export interface WebhookSending {
  /** Lets running requests finish for up to `graceMs`. The rest stays in Redis. */
  close(graceMs: number): Promise<void>;
}

/** The parts that the sending shares with the rest of the process, and values for tests. */
export interface SendingParts extends Omit<DeliveryParts, 'addresses'> {
  readonly addresses: PublicAddresses;
  /** The path of the service, with which every link of a document begins. Default: none. */
  readonly mountPath?: string;
}

/**
 * Starts to send webhooks, if there are endpoints.
 * @param shared the caller closes the connection after this.
 */
export async function startWebhooks(
  { webhookAllow, mountPath }: Pick<Config, 'webhookAllow' | 'mountPath'>,
  endpoints: WebhookEndpoints | undefined,
  shared: Pick<DeliveryParts, 'connection' | 'keys' | 'log' | 'nowMs' | 'tracing'>,
): Promise<WebhookSending | undefined> {
  if (endpoints === undefined) return undefined;
  return await sendWebhooks({ ...shared, endpoints, addresses: new PublicAddresses(webhookAllow), mountPath });
}

/** Starts the relay and the deliveries. */
export async function sendWebhooks(parts: SendingParts): Promise<WebhookSending> {
  const { connection, keys, endpoints, mountPath = '', log, nowMs } = parts;
  const reader = copyOf(connection);
  // The other connection logs that Redis is away.
  reader.on('error', () => undefined);
  const queue = new DeliveryQueue(connection, keys, log);
  const outbox = new Outbox(reader, connection, keys.outbox);
  const stopped = new StoppedEndpoints(connection, keys);
  const relay = new OutboxRelay({ outbox, queue, endpoints, stopped, mountPath, log, nowMs });
  const deliveries = new WebhookDeliveries(parts);
  await deliveries.ready();
  relay.start();
  return {
    async close(graceMs) {
      reader.disconnect();
      await Promise.all([relay.close(), deliveries.close(graceMs)]);
      await queue.close();
    },
  };
}
