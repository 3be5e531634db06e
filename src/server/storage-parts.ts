import { InstallationId } from '../queue/installation-id.ts';
import { ConfigError, type Config } from '../settings/config.ts';
import { guardedStorage } from '../storage/guarded-storage.ts';
import { Installation } from '../storage/installation.ts';
import { openStorage } from '../storage/open-storage.ts';
import { StorageCheck } from '../storage/storage-check.ts';
import type { Storage } from '../storage/storage.ts';
import type { Logger } from '../telemetry/log.ts';
import type { RedisParts } from './redis-parts.ts';

/** The storage, and whether it can be used. */
export interface StorageParts {
  /** Takes no new objects while it does not belong to the Redis at hand. */
  readonly storage: Storage;
  readonly check: StorageCheck;
}

/** Opens the storage and compares it with Redis. Rejects with `ConfigError` if it must not be used as it is set up. */
export async function openStorageParts(
  config: Config,
  { connection, keys, store }: RedisParts,
  log: Logger,
): Promise<StorageParts> {
  const storage = await openStorage(config);
  const kept = new InstallationId(connection, keys);
  const { queuePrefix, storageAdopt: adopt } = config;
  const installation = new Installation({ storage, kept, queuePrefix, adopt, log });
  const notCompared = (error: unknown): void => {
    if (error instanceof ConfigError) throw error;
    log.debug({ err: error }, 'storage and Redis not compared yet');
  };
  // A start does not wait for Redis; it is compared when it comes, and whenever it comes back.
  if (store.isReady) await installation.open().catch(notCompared);
  connection.on('ready', () => void installation.verify().catch(notCompared));
  const guarded = guardedStorage(storage, () => installation.assertPaired());
  return { storage: guarded, check: new StorageCheck(storage, installation) };
}
