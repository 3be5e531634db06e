import { DelayedError, UnrecoverableError, Worker, type Job } from 'bullmq';
import { DeliveryCounts } from '../../src/delivery/delivery-counts.ts';
import type { DeliveryJobData } from '../../src/delivery/delivery-queue.ts';
import { pauseAfterTry } from '../../src/delivery/retry-schedule.ts';
import { signatureHeaders } from '../../src/delivery/signature.ts';
import { StoppedEndpoints } from '../../src/delivery/stopped-endpoints.ts';
import { endpointKey, type WebhookEndpoint, type WebhookEndpoints } from '../../src/delivery/webhook-endpoint.ts';
import type { PublicAddresses } from '../../src/http/public-address.ts';
import type { Redis } from '../../src/queue/connection.ts';
import { DELIVERY_QUEUE_NAME, type QueueKeys } from '../../src/queue/contract.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import type { Span, Tracing } from '../../src/telemetry/tracing.ts';
import { uploadRefIn } from '../../src/telemetry/upload-ref.ts';
import { VERSION } from '../../src/version.ts';
import { backOffOnError } from '../back-off-on-error.ts';
import { NO_STALL_LIMIT } from '../worker-timing.ts';
import { beginDeliverySpan, traceHeaders } from './delivery-span.ts';
import { EndpointLoad, type Turn } from './endpoint-load.ts';
import { NoAnswerError, postWebhook, TRY_LIMIT_MS } from './post-webhook.ts';

/** Number of deliveries in progress in one process. Almost all the time they wait for answers. */
const CONCURRENCY = 200;

/** If a worker dies, its delivery is tried again after at most about twice this time. */
const LOCK_MS = 15_000;

/** The endpoint wants no more webhooks (contract: 410). */
const GONE = 410;

/** Statuses whose `Retry-After` is respected. */
const BUSY_STATUSES: ReadonlySet<number> = new Set([429, 503]);

/** The parts that the deliveries of a process need. */
export interface DeliveryParts {
  /** The BullMQ worker uses it and duplicates it for blocking reads. The caller closes it. */
  readonly connection: Redis;
  readonly keys: QueueKeys;
  readonly endpoints: WebhookEndpoints;
  readonly addresses: Pick<PublicAddresses, 'of'>;
  readonly log: Logger;
  /** Returns the time by the clock of Redis. Receivers reject a request whose time is wrong by minutes. */
  readonly nowMs: () => number;
  /** Creates tracing spans. Default: none are created. */
  readonly tracing?: Tracing | undefined;
  /** Time for one try. Default 10 s. */
  readonly tryLimitMs?: number;
  /** Pause after a failed try. Default `pauseAfterTry`. */
  readonly pauseMs?: (tries: number, askedMs: number) => number;
}

/** A try that failed. `askedMs` is the pause that the endpoint asked for. */
class FailedTryError extends Error {
  readonly askedMs: number;

  constructor(reason: string, askedMs = 0) {
    super(reason);
    this.askedMs = askedMs;
  }
}

/** Takes deliveries from BullMQ, and sends and repeats them. */
export class WebhookDeliveries {
  readonly #parts: DeliveryParts;
  readonly #worker: Worker<DeliveryJobData>;
  readonly #counts: DeliveryCounts;
  readonly #stopped: StoppedEndpoints;
  readonly #load = new EndpointLoad();
  readonly #closing = new AbortController();
  readonly #endBackOff: () => void;

  constructor(parts: DeliveryParts) {
    const { connection, keys, log, pauseMs = pauseAfterTry } = parts;
    this.#parts = parts;
    this.#counts = new DeliveryCounts(connection, keys);
    this.#stopped = new StoppedEndpoints(connection, keys);
    this.#worker = new Worker<DeliveryJobData>(DELIVERY_QUEUE_NAME, (job, token) => this.#deliver(job, token), {
      connection,
      prefix: keys.bullPrefix,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      stalledInterval: LOCK_MS,
      maxStalledCount: NO_STALL_LIMIT,
      settings: {
        backoffStrategy: (tries, _type, error) => pauseMs(tries, error instanceof FailedTryError ? error.askedMs : 0),
      },
    });
    this.#worker.on('error', (error) => log.debug({ reason: error.message }, 'delivery connection error'));
    this.#endBackOff = backOffOnError(this.#worker);
  }

  /** Resolves when deliveries are taken, so not before Redis is available. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Takes no more deliveries. Tries that do not end within `graceMs` are ended and do not count. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(), graceMs);
    try {
      this.#endBackOff();
      await this.#worker.close();
    } finally {
      clearTimeout(timer);
    }
  }

  async #deliver(job: Job<DeliveryJobData>, token: string | undefined): Promise<void> {
    const endpoint = this.#endpointOf(job.data);
    if (endpoint === undefined) return await this.#abandon(job, 'endpoint removed from the settings');
    if (await this.#stopped.has(endpoint)) return await this.#abandon(job, 'endpoint stopped by its answer 410');
    const turn = await this.#load.take(endpointKey(endpoint));
    if (typeof turn === 'number') return await putOff(job, token, turn);
    const span = beginDeliverySpan(this.#parts.tracing, job.data, endpoint, job.attemptsMade);
    const failure = await span.run(() => this.#try(job.data, endpoint, turn, span)).finally(() => span.end());
    if (this.#closing.signal.aborted && failure !== undefined) return await putOff(job, token, 0);
    if (failure === undefined) await this.#counts.ended(job.id ?? '', 'delivered');
    else await this.#failed(job, endpoint, failure);
  }

  #endpointOf({ tenant, endpoint, type }: DeliveryJobData): WebhookEndpoint | undefined {
    return this.#parts.endpoints.of(tenant).find(({ id, events }) => id === endpoint && events.includes(type));
  }

  /** Returns the reason if the try failed. */
  async #try(
    message: DeliveryJobData,
    endpoint: WebhookEndpoint,
    turn: Turn,
    span: Span,
  ): Promise<FailedTryError | undefined> {
    const { addresses, nowMs, tryLimitMs: limitMs = TRY_LIMIT_MS } = this.#parts;
    const headers = {
      'content-type': 'application/json',
      'user-agent': `deferred-uploads/${VERSION}`,
      ...traceHeaders(span),
      ...signatureHeaders(message, endpoint.secrets, nowMs()),
    };
    let hadAnswer = true;
    try {
      const request = { url: endpoint.url, headers, body: message.body };
      const answer = await postWebhook(request, { addresses, limitMs, signal: this.#closing.signal });
      span.set({ 'http.response.status_code': answer.status });
      if (answer.status >= 200 && answer.status < 300) return undefined;
      span.fail({ code: String(answer.status) });
      if (answer.status === GONE) await this.#stopped.stop(endpoint);
      return new FailedTryError(
        `status ${answer.status}`,
        BUSY_STATUSES.has(answer.status) ? (answer.retryAfterMs ?? 0) : 0,
      );
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      hadAnswer = false;
      span.fail(error);
      return new FailedTryError(error.message);
    } finally {
      turn.end(hadAnswer);
    }
  }

  async #failed(job: Job<DeliveryJobData>, endpoint: WebhookEndpoint, failure: FailedTryError): Promise<void> {
    const { message: reason } = failure;
    const tries = job.attemptsMade + 1;
    const isLast = tries >= (job.opts.attempts ?? 1);
    const fields = { upload: uploadRefIn(job.data.id), endpoint: endpointKey(endpoint), tries, reason };
    if (reason === `status ${GONE}`) {
      this.#parts.log.warn(fields, 'webhook endpoint stopped');
      return await this.#abandon(job, reason);
    }
    this.#parts.log[isLast ? 'warn' : 'info'](fields, isLast ? 'webhook given up' : 'webhook not delivered yet');
    await this.#counts.ended(job.id ?? '', isLast ? 'abandoned' : 'retried');
    throw failure;
  }

  async #abandon(job: Job<DeliveryJobData>, reason: string): Promise<never> {
    await this.#counts.ended(job.id ?? '', 'abandoned');
    throw new UnrecoverableError(reason);
  }
}

/** Lets the delivery wait in Redis. It does not count as a try. */
async function putOff(job: Job<DeliveryJobData>, token: string | undefined, pauseMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + pauseMs, token);
  throw new DelayedError();
}
