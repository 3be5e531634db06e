import type { Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { endpointKey, settingsDigest, type WebhookEndpoint } from './webhook-endpoint.ts';

/** Endpoints that have answered 410. They receive nothing until their settings change. */
export class StoppedEndpoints {
  readonly #connection: Redis;
  readonly #key: string;

  constructor(connection: Redis, keys: Pick<QueueKeys, 'stoppedEndpoints'>) {
    this.#connection = connection;
    this.#key = keys.stoppedEndpoints;
  }

  async stop(endpoint: WebhookEndpoint): Promise<void> {
    await this.#connection.hset(this.#key, endpointKey(endpoint), settingsDigest(endpoint));
  }

  async has(endpoint: WebhookEndpoint): Promise<boolean> {
    return (await this.#connection.hget(this.#key, endpointKey(endpoint))) === settingsDigest(endpoint);
  }
}
