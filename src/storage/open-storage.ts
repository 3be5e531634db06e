import { ServiceError } from '../errors.ts';
import { ConfigError, type Config } from '../settings/config.ts';
import { codeOf } from './file-errors.ts';
import { LocalStorage, type LocalStorageOptions } from './local-storage.ts';
import { directoryOf } from './storage-directory.ts';
import type { Storage } from './storage.ts';

/** Longest check at the start, because a mount that hangs never answers. */
const START_LIMIT_MS = 10_000;

/** Errors that need a change by the operator. */
const PERMANENT_CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'ENOENT',
  'ELOOP',
  'ENAMETOOLONG',
]);

/**
 * Opens the storage of the setting `STORAGE`, whose form was checked at the start. Rejects with an error of one line if
 * it cannot be used: a `ConfigError` if a setting is wrong.
 * @param options.storeThread see `LocalStorageOptions`.
 */
export async function openStorage(
  config: Pick<Config, 'storage' | 'storageReserveBytes' | 's3'>,
  { storeThread }: Pick<LocalStorageOptions, 'storeThread'> = {},
): Promise<Storage> {
  const directory = directoryOf(config.storage);
  if (directory === undefined) return await openBucket(config);
  const storage = new LocalStorage(directory, { reserveBytes: config.storageReserveBytes, storeThread });
  await probeDirectory(storage, config.storage);
  return storage;
}

/** Opens a bucket. The S3 client takes long to load, so it is loaded only here. */
async function openBucket({ storage, s3 }: Pick<Config, 'storage' | 's3'>): Promise<Storage> {
  const { S3Storage } = await import('./s3-storage.ts');
  const bucket = new S3Storage(storage, s3);
  await bucket.check();
  await bucket.removeAbandonedCopies();
  return bucket;
}

async function probeDirectory(storage: Storage, setting: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not respond')), START_LIMIT_MS);
  });
  try {
    await Promise.race([storage.probe('full'), late]);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'storage_full') return;
    const cause: unknown = error instanceof ServiceError ? error.cause : error;
    const line = `STORAGE=${setting} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw PERMANENT_CODES.has(codeOf(cause)) ? new ConfigError(line) : new Error(line, { cause });
  } finally {
    clearTimeout(timer);
  }
}
