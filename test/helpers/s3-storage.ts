import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Storage } from '../../src/storage/s3-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { S3Bytes } from './s3-bytes.ts';
import { S3_CREDENTIALS, startS3Server, type S3Server } from './s3-server.ts';

/** Storage on an S3 server for one test. */
export interface TempS3 {
  readonly storage: S3Storage;
  readonly server: S3Server;
  /** Copies that have not been released. */
  copies(): Promise<string[]>;
  remove(): Promise<void>;
}

/** The prefix of all objects. */
export const S3_PREFIX = 'some/prefix';

/**
 * Opens a storage, which the caller removes. A request that is silent for longer than `silenceMs` fails. Default
 * 10,000.
 */
export async function openS3Storage(silenceMs = 10_000): Promise<TempS3> {
  Object.assign(process.env, S3_CREDENTIALS, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  const [server, localDirectory] = await Promise.all([startS3Server(), mkdtemp(join(tmpdir(), 'du-copies-'))]);
  const storage = new S3Storage(`s3://${server.bucket}/${S3_PREFIX}`, server.settings, { silenceMs, localDirectory });
  const remove = async () => {
    await storage.close();
    await server.close();
    await rm(localDirectory, { recursive: true });
  };
  return { storage, server, copies: () => readdir(localDirectory), remove };
}

/** Returns whether a file has these bytes. */
export async function holds(storage: Storage, key: string, bytes: Buffer): Promise<boolean> {
  const file = await storage.read(key);
  return file !== undefined && new S3Bytes((await file.toArray()) as Buffer[]).equals(bytes);
}

const MIB = 1024 * 1024;

/** Writes like a request, and discards after any error. Resolves with `'committed'` or with the error. */
export async function writeOrDiscard(storage: Storage, key: string, bytes: Buffer): Promise<unknown> {
  const writer = await storage.create(key);
  try {
    for (let from = 0; from < bytes.length; from += MIB) await writer.write(bytes.subarray(from, from + MIB));
    await writer.commit();
    return 'committed';
  } catch (error) {
    await writer.discard();
    await writer.discard();
    return error;
  }
}
