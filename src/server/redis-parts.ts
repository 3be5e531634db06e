import type { Access } from '../access/access.ts';
import { DeliveryQueue } from '../delivery/delivery-queue.ts';
import { sendsWebhooks } from '../delivery/webhook-endpoint.ts';
import type { Kinds } from '../kinds/kinds.ts';
import {
  openClusterConnection,
  openCommandConnection,
  openSubscribingConnection,
  openWaitingConnection,
  RedisRecordStore,
  type Redis,
} from '../queue/connection.ts';
import { OTHER_KIND, queueKeys, type QueueKeys } from '../queue/contract.ts';
import { openEventChannels } from '../queue/event-channels.ts';
import { openEventStream } from '../queue/event-stream.ts';
import { RedisCheck } from '../queue/redis-check.ts';
import { RedisClock } from '../queue/redis-clock.ts';
import { DEFAULT_REDIS, isCluster } from '../queue/redis-place.ts';
import { openShardSubscriber } from '../queue/shard-subscriber.ts';
import { openSubscriber, type Subscriber, type SubscriberListener } from '../queue/subscriber.ts';
import { UploadQueue } from '../queue/upload-queue.ts';
import type { OpenEvents } from '../record/bus.ts';
import { recordOptions } from '../record/record-change.ts';
import { UploadRecords } from '../record/record.ts';
import { ImportQueue } from '../roads/import/import-queue.ts';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { UploadTally } from '../telemetry/upload-tally.ts';

/** The parts of an API process that use Redis. */
export interface RedisParts {
  readonly keys: QueueKeys;
  readonly connection: Redis;
  readonly redisCheck: RedisCheck;
  readonly clock: RedisClock;
  readonly store: RedisRecordStore;
  readonly tally: UploadTally;
  readonly records: UploadRecords;
  readonly queue: UploadQueue;
  readonly deliveries: DeliveryQueue;
  readonly imports: ImportQueue;
}

/** Connects to Redis and checks its configuration. Rejects with `ConfigError` if Redis is configured wrongly. */
export async function openRedisParts(
  config: Config,
  access: Access,
  kinds: Pick<Kinds, 'find'>,
  log: Logger,
): Promise<RedisParts> {
  const keys = queueKeys(config.queuePrefix);
  const connection = openCommandConnection(config.redis ?? DEFAULT_REDIS, log);
  const redisCheck = await RedisCheck.start(connection, log, { key: keys.events }).catch((error: unknown) => {
    connection.disconnect();
    throw error;
  });
  const clock = new RedisClock(connection, keys.events, log);
  await clock.start();
  const store = new RedisRecordStore(connection);
  const tally = new UploadTally();
  const records = new UploadRecords(store, keys, {
    ...recordOptions(config),
    sendsWebhooks: sendsWebhooks(config, access),
    nowMs: () => clock.nowMs(),
    onEntered: (state, from, failure) => tally.entered(state, from, failure),
    kindOf: (type) => kinds.find(type)?.name ?? OTHER_KIND,
  });
  const queue = new UploadQueue(connection, keys, log);
  const deliveries = new DeliveryQueue(connection, keys, log);
  const imports = new ImportQueue(connection, keys, log);
  return { keys, connection, redisCheck, clock, store, tally, records, queue, deliveries, imports };
}

/** Closes the queues, but not the connection that they share. */
export async function closeQueues({
  queue,
  deliveries,
  imports,
}: Pick<RedisParts, 'queue' | 'deliveries' | 'imports'>): Promise<void> {
  await Promise.all([queue.close(), deliveries.close(), imports.close()]);
}

/** Returns the configured event bus. It opens its own connection and closes it. */
export function eventsFrom(config: Config, keys: QueueKeys, log: Logger): OpenEvents {
  const place = config.redis ?? DEFAULT_REDIS;
  if (config.eventBus === 'stream')
    return (listener) => openEventStream(openWaitingConnection(place, log), keys, listener, log);
  const subscribe = (listener: SubscriberListener): Subscriber =>
    isCluster(place)
      ? openShardSubscriber(openClusterConnection(place, log), keys.changeChannel(''), listener)
      : openSubscriber(openSubscribingConnection(place, log), listener);
  return (listener) => openEventChannels(subscribe, keys, listener, log);
}
