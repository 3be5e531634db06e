import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryQueue } from '../../src/delivery/delivery-queue.ts';
import type { Outbox, OutboxEntry } from '../../src/delivery/outbox.ts';
import { StoppedEndpoints } from '../../src/delivery/stopped-endpoints.ts';
import type { WebhookEndpoint, WebhookEndpoints } from '../../src/delivery/webhook-endpoint.ts';
import { toMessage, type WebhookMessage } from '../../src/delivery/webhook-message.ts';
import type { Logger } from '../../src/telemetry/log.ts';

/** Period in which the entries of dead workers are read. */
const ABANDONED_PERIOD_MS = 5_000;

/** The pause after an error of Redis. */
const PAUSE_MS = 1_000;

/** The parts that the relay needs. */
export interface RelayParts {
  readonly outbox: Pick<Outbox, 'read' | 'readAbandoned' | 'remove'>;
  readonly queue: Pick<DeliveryQueue, 'add' | 'dropStale'>;
  readonly endpoints: WebhookEndpoints;
  readonly stopped: Pick<StoppedEndpoints, 'has'>;
  /** The path of the service, with which every link of a document begins. */
  readonly mountPath: string;
  readonly log: Logger;
  /** Returns the time by the clock of Redis. */
  readonly nowMs: () => number;
}

/**
 * Moves entries from the outbox to the delivery queue. An entry is removed after its jobs exist, so a process that dies
 * may cause a second delivery with the same id, but never a missing one.
 */
export class OutboxRelay {
  readonly #parts: RelayParts;
  readonly #closing = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#ended = Promise.all([this.#readOn(), this.#watchAbandoned()]);
  }

  /** Ends the relay. Cut the connection of the blocking read before this call, or it waits for up to 5 s. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #readOn(): Promise<void> {
    while (!this.#isClosed) await this.#once(() => this.#parts.outbox.read());
  }

  async #watchAbandoned(): Promise<void> {
    while (!this.#isClosed) {
      await this.#pause(ABANDONED_PERIOD_MS);
      if (this.#isClosed) return;
      await this.#once(() => this.#parts.outbox.readAbandoned());
      await this.#parts.queue.dropStale(this.#parts.nowMs()).catch(() => undefined);
    }
  }

  async #once(read: () => Promise<OutboxEntry[]>): Promise<void> {
    try {
      await this.#forward(await read());
    } catch (error) {
      if (this.#isClosed) return;
      this.#parts.log.warn({ err: error }, 'webhooks not moved to their queue yet');
      await this.#pause(PAUSE_MS);
    }
  }

  async #forward(entries: readonly OutboxEntry[]): Promise<void> {
    const messages = [];
    for (const entry of entries) {
      const message = this.#messageOf(entry);
      if (message === undefined) continue;
      const endpoints = await this.#receiversOf(message);
      if (endpoints.length > 0) messages.push({ message, endpoints });
    }
    await this.#parts.queue.add(messages);
    await this.#parts.outbox.remove(entries);
  }

  /** Undefined for an entry that cannot be read. It is dropped, because it would block the others for ever. */
  #messageOf({ fields }: OutboxEntry): WebhookMessage | undefined {
    try {
      return toMessage(fields, this.#parts.mountPath);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'outbox entry not understood');
      return undefined;
    }
  }

  async #receiversOf({ tenant, type }: WebhookMessage): Promise<WebhookEndpoint[]> {
    const receivers: WebhookEndpoint[] = [];
    for (const endpoint of this.#parts.endpoints.of(tenant)) {
      if (endpoint.events.includes(type) && !(await this.#parts.stopped.has(endpoint))) receivers.push(endpoint);
    }
    return receivers;
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }
}
