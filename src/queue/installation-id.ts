import { randomUUID } from 'node:crypto';
import { available, type Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';

/** The lock expires after this time. Reading and writing a marker takes less, even on slow storage. */
const LOCK_MS = 10_000;

const UNLOCK_SCRIPT = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** The id of the installation in Redis. The marker in the storage must have the same. */
export class InstallationId {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;

  constructor(connection: Redis, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Returns undefined if Redis has none, for instance because it is empty. */
  async read(): Promise<string | undefined> {
    return (await available(() => this.#connection.get(this.#keys.installation))) ?? undefined;
  }

  /** Stores the id unless there is one. */
  async keep(id: string): Promise<void> {
    await available(() => this.#connection.set(this.#keys.installation, id, 'NX'));
  }

  async replace(id: string): Promise<void> {
    await available(() => this.#connection.set(this.#keys.installation, id));
  }

  /** Locks the creation of the marker. Returns the release, or undefined while another process has the lock. */
  async lock(): Promise<(() => Promise<void>) | undefined> {
    const token = randomUUID();
    const key = this.#keys.installationLock;
    if ((await available(() => this.#connection.set(key, token, 'PX', LOCK_MS, 'NX'))) === null) return undefined;
    return async () => {
      await available(() => this.#connection.eval(UNLOCK_SCRIPT, 1, key, token)).catch(() => undefined);
    };
  }
}
