import { DeleteObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/settings/config.ts';
import { createClient, placeOf } from '../../src/storage/s3-client.ts';
import { S3Storage } from '../../src/storage/s3-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';

interface OpenBucket {
  storage: Storage;
  remove(): Promise<void>;
}

const BUCKET = process.env['TEST_BUCKET'];

/** The driver for the bucket of a real server, such as `TEST_BUCKET=s3://bucket`. Empty without this variable. */
export const TEST_BUCKETS: Readonly<Record<string, () => Promise<OpenBucket>>> =
  BUCKET === undefined ? {} : { [BUCKET]: () => openBucket(BUCKET) };

// The test server of other tests replaces the credentials in the environment.
const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = process.env;
const { s3: settings } = loadConfig(
  Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('S3_'))),
);

/** Opens a storage below a new prefix of the bucket. `remove` deletes all objects below it. */
async function openBucket(bucket: string): Promise<OpenBucket> {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  const setting = `${bucket}/${randomUUID()}`;
  const storage = new S3Storage(setting, settings);
  const remove = async () => {
    await storage.removeUnfinished('', new Date(Date.now() + 60_000));
    await storage.close();
    const client = createClient(settings, 10_000);
    const { bucket: Bucket, prefix: Prefix } = placeOf(setting);
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix }))
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    client.destroy();
  };
  return { storage, remove };
}
