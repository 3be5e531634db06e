import { InstallationId } from '../queue/installation-id.ts';
import { ConfigError, type Config } from '../settings/config.ts';
import { guardedStorage } from '../storage/guarded-storage.ts';
import { Installation } from '../storage/installation.ts';
import { openStorage } from '../storage/open-storage.ts';
import { StorageCheck } from '../storage/storage-check.ts';
import type { Storage } from '../storage/storage.ts';
import type { Logger } from '../telemetry/log.ts';
import type { RedisParts } from './redis-parts.ts';

const STORE_THREAD = new URL('../storage/store-thread-entry.js', import.meta.url);

/** The storage and its health check. */
export interface StorageParts {
  /** Rejects new objects while it is not paired with the connected Redis. */
  readonly storage: Storage;
  readonly check: StorageCheck;
}

/** Opens the storage and checks that it belongs to this Redis. Rejects with `ConfigError` if it does not. */
export async function openStorageParts(
  config: Config,
  { connection, keys, store }: RedisParts,
  log: Logger,
): Promise<StorageParts> {
  const storage = await openStorage(config, { storeThread: STORE_THREAD });
  const kept = new InstallationId(connection, keys);
  const { queuePrefix, storageAdopt: adopt } = config;
  const installation = new Installation({ storage, kept, queuePrefix, adopt, log });
  const notCompared = (error: unknown): void => {
    if (error instanceof ConfigError) throw error;
    log.debug({ err: error }, 'pairing of storage and Redis not checked');
  };
  // The start does not wait for Redis. The check runs each time Redis becomes available.
  if (store.isReady) await installation.open().catch(notCompared);
  connection.on('ready', () => void installation.verify().catch(notCompared));
  const guarded = guardedStorage(storage, () => installation.assertPaired());
  return { storage: guarded, check: new StorageCheck(storage, installation) };
}
