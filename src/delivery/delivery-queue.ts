import { ServiceError } from '../errors.ts';
import { BullQueues } from '../queue/bull-queues.ts';
import { available, type Redis } from '../queue/connection.ts';
import { DELIVERY_QUEUE_NAME, type QueueKeys } from '../queue/contract.ts';
import type { Logger } from '../telemetry/log.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';
import type { Delivery, DeliveryList, WebhookEvent } from '../wire/documents.ts';
import { DeliveryCounts, type DeliveryFigures } from './delivery-counts.ts';
import { LAST_TRY } from './retry-schedule.ts';
import { endpointKey, type WebhookEndpoint } from './webhook-endpoint.ts';
import type { WebhookMessage } from './webhook-message.ts';

/** The job of one webhook for one endpoint. The endpoint's settings are read at each try. */
export interface DeliveryJobData extends WebhookMessage {
  readonly endpoint: string;
}

/** If more deliveries are pending, a new one is tried only once, so that a dead endpoint cannot fill Redis. */
const MOST_PENDING = 100_000;

/** Failed deliveries are kept for a replay: the newest 1000, for one week. */
const MOST_FAILED = 1_000;
const FAILED_SECONDS = 7 * 24 * 3600;

/** How many of the oldest pending deliveries are checked at a time, and how long a job may be missing. */
const STALE_CHECKED = 100;
const STALE_AFTER_MS = 60_000;

/** The id of a delivery: `{tenant}.{endpoint}.{upload id}.{version}`. */
const DELIVERY_ID = /^([a-z0-9-]{1,64})\.([A-Za-z0-9._-]{1,64})\.([0-9a-f-]{36})\.(\d{1,15})$/;

/** The BullMQ queue of webhooks. It writes nothing to Redis before its first use. */
export class DeliveryQueue {
  readonly #connection: Redis;
  readonly #counts: DeliveryCounts;
  readonly #queues: BullQueues<DeliveryJobData>;

  constructor(connection: Redis, keys: QueueKeys, log: Logger) {
    this.#connection = connection;
    this.#counts = new DeliveryCounts(connection, keys);
    this.#queues = new BullQueues(connection, keys, log);
  }

  /** Adds a job for each endpoint of each message. A job that exists already is not changed. */
  async add(messages: readonly { message: WebhookMessage; endpoints: readonly WebhookEndpoint[] }[]): Promise<void> {
    const jobs = messages.flatMap(({ message, endpoints }) =>
      endpoints.map((endpoint) => ({ id: deliveryId(message, endpoint), message, endpoint: endpoint.id })),
    );
    if (jobs.length === 0) return;
    await this.#counts.began(jobs.map(({ id, message }) => ({ id, atMs: message.atMs })));
    const attempts = (await this.#counts.pending()) > MOST_PENDING ? 1 : LAST_TRY;
    await this.#queue.addBulk(
      jobs.map(({ id, message, endpoint }) => ({
        name: message.type,
        data: { ...message, endpoint },
        opts: {
          jobId: id,
          timestamp: message.atMs,
          attempts,
          backoff: { type: 'webhook' },
          stackTraceLimit: 0,
          removeOnComplete: true,
          removeOnFail: { count: MOST_FAILED, age: FAILED_SECONDS },
        },
      })),
    );
  }

  /** Returns the deliveries in a state, at most `limit`: the newest failed ones, or the oldest pending ones. */
  async list(state: Delivery['state'], limit: number, nowMs: number): Promise<DeliveryList> {
    const [{ pending, oldestPendingMs }, found] = await Promise.all([
      available(() => this.#counts.read(nowMs)),
      state === 'failed' ? this.failed(limit) : this.pending(limit),
    ]);
    return { pending, oldestPendingMs, ...found };
  }

  /** Returns figures of all deliveries. */
  async figures(nowMs: number): Promise<DeliveryFigures> {
    return await available(() => this.#counts.read(nowMs));
  }

  /** Returns the number of failed deliveries, and the newest of them. */
  async failed(limit: number): Promise<{ count: number; deliveries: Delivery[] }> {
    return await available(async () => {
      const key = this.#queue.toKey('failed');
      const [count, ids] = await Promise.all([
        this.#connection.zcard(key),
        this.#connection.zrevrange(key, 0, limit - 1),
      ]);
      return { count, deliveries: await this.#read(ids, 'failed') };
    });
  }

  /** Returns the number of pending deliveries, and the oldest of them. */
  async pending(limit: number): Promise<{ count: number; deliveries: Delivery[] }> {
    return await available(async () => {
      const [count, oldest] = await Promise.all([this.#counts.pending(), this.#counts.oldest(limit)]);
      return {
        count,
        deliveries: await this.#read(
          oldest.map(({ id }) => id),
          'pending',
        ),
      };
    });
  }

  /**
   * Sends failed deliveries again, with all tries. Takes the id of a listed delivery, or a `webhook-id`, which means
   * its deliveries to all endpoints. Throws `unknown_delivery` (404) if none has failed.
   */
  async replay(id: string): Promise<void> {
    await available(async () => {
      const failed = await this.#connection.zrange(this.#queue.toKey('failed'), '0', '-1');
      const meant = failed.filter((jobId) => listedId(jobId) === id || webhookId(jobId) === id);
      const jobs = await Promise.all(meant.map((jobId) => this.#queue.getJob(jobId)));
      const found = jobs.filter((job) => job !== undefined);
      if (found.length === 0)
        throw new ServiceError('unknown_delivery', 'No delivery with this id has failed. List the failed ones again.');
      for (const job of found) {
        await this.#counts.began([{ id: job.id ?? '', atMs: job.data.atMs }]);
        await job.retry('failed', { resetAttemptsMade: true });
      }
    });
  }

  /** Removes the mark `pending` from deliveries that have ended, but whose worker died before it could do so. */
  async dropStale(nowMs: number): Promise<void> {
    const oldest = await this.#counts.oldest(STALE_CHECKED);
    const finished = await Promise.all(
      oldest.map(({ id }) => this.#connection.hmget(this.#queue.toKey(id), 'timestamp', 'finishedOn')),
    );
    // A job may be missing for a moment, because its delivery is marked before it is added.
    const isStale = ([addedAt, endedAt]: (string | null)[], atMs: number): boolean =>
      addedAt === null ? atMs < nowMs - STALE_AFTER_MS : endedAt !== null;
    const stale = oldest.filter(({ atMs }, index) => isStale(finished[index] ?? [null, null], atMs));
    await this.#counts.drop(stale.map(({ id }) => id));
  }

  async close(): Promise<void> {
    await this.#queues.close();
  }

  get #queue() {
    return this.#queues.named(DELIVERY_QUEUE_NAME);
  }

  /** Reads the jobs without their bodies, which may be large. */
  async #read(ids: readonly string[], state: Delivery['state']): Promise<Delivery[]> {
    const fields = ['name', 'timestamp', 'finishedOn', 'failedReason', 'atm'];
    const found = await Promise.all(ids.map((id) => this.#connection.hmget(this.#queue.toKey(id), ...fields)));
    return found.flatMap((values, index) => toDelivery(ids[index] ?? '', values, state));
  }
}

/** Returns the id of the job of a message for an endpoint. */
function deliveryId(message: Pick<WebhookMessage, 'id'>, endpoint: WebhookEndpoint): string {
  return `${endpointKey(endpoint)}.${message.id}`;
}

/** Returns the id that operators see. It does not contain the id of the upload, which is a secret. */
function listedId(jobId: string): string {
  const [, tenant, endpoint, upload = '', version] = DELIVERY_ID.exec(jobId) ?? [];
  return `${tenant}.${endpoint}.${uploadRef(upload)}.${version}`;
}

function webhookId(jobId: string): string {
  const [, , , upload, version] = DELIVERY_ID.exec(jobId) ?? [];
  return `${upload}.${version}`;
}

function toDelivery(jobId: string, values: readonly (string | null)[], state: Delivery['state']): Delivery[] {
  const [type, createdAtMs, failedAtMs, reason, tries] = values;
  const [, tenant, endpoint, upload] = DELIVERY_ID.exec(jobId) ?? [];
  if (type == null || tenant === undefined || endpoint === undefined || upload === undefined) return [];
  return [
    {
      id: listedId(jobId),
      upload: uploadRef(upload),
      // Only `add` makes jobs of this queue, and names them by their event.
      type: type as WebhookEvent,
      tenant,
      endpoint,
      state,
      tries: Number(tries ?? 0),
      reason: reason ?? null,
      createdAt: new Date(Number(createdAtMs)).toISOString(),
      failedAt: failedAtMs == null ? null : new Date(Number(failedAtMs)).toISOString(),
    },
  ];
}
