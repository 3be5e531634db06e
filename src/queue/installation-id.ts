import { randomUUID } from 'node:crypto';
import { available, type Redis } from './connection.ts';
import type { QueueKeys } from './contract.ts';

/** Reading and writing a marker takes less, also on a slow storage. */
const LOCK_MS = 10_000;

const UNLOCK_SCRIPT = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

/** The id of the installation as Redis keeps it, which the marker in the storage must name too. */
export class InstallationId {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;

  constructor(connection: Redis, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Undefined if this Redis has none, as an empty one. */
  async read(): Promise<string | undefined> {
    return (await available(() => this.#connection.get(this.#keys.installation))) ?? undefined;
  }

  /** Keeps the id unless there is one. */
  async keep(id: string): Promise<void> {
    await available(() => this.#connection.set(this.#keys.installation, id, 'NX'));
  }

  async replace(id: string): Promise<void> {
    await available(() => this.#connection.set(this.#keys.installation, id));
  }

  /** Lets one process at a time make a marker; undefined while another one does. The returned function ends that. */
  async lock(): Promise<(() => Promise<void>) | undefined> {
    const token = randomUUID();
    const key = this.#keys.installationLock;
    if ((await available(() => this.#connection.set(key, token, 'PX', LOCK_MS, 'NX'))) === null) return undefined;
    return async () => {
      await available(() => this.#connection.eval(UNLOCK_SCRIPT, 1, key, token)).catch(() => undefined);
    };
  }
}
