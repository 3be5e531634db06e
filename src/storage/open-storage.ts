import type { Config } from '../settings/config.ts';
import { LocalStorage } from './local-storage.ts';
import type { Storage } from './storage.ts';

/**
 * Opens the storage that the `STORAGE` setting names; its form has been checked with the other settings.
 * Rejects with one line for a person where a bucket cannot be used, a `ConfigError` where a setting is at fault.
 */
export async function openStorage(config: Pick<Config, 'storage' | 'storageReserveBytes' | 's3'>): Promise<Storage> {
  if (config.storage.startsWith('s3:')) return await openBucket(config);
  const directory = config.storage.replace(/^file:(\/\/)?/, '');
  return new LocalStorage(directory, { reserveBytes: config.storageReserveBytes });
}

/** Amazon's client takes long to load, so only those load it who use it. */
async function openBucket({ storage, s3 }: Pick<Config, 'storage' | 's3'>): Promise<Storage> {
  const { S3Storage } = await import('./s3-storage.ts');
  const bucket = new S3Storage(storage, s3);
  await bucket.check();
  return bucket;
}
