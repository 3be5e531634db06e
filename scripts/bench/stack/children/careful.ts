import { open } from 'node:fs/promises';
import type { Redis } from 'ioredis';

/** The channel on which all changes are published. */
export const CHANNEL = 'stack:events';

const KEPT_S = 86_400;

/** Changes a record, gives it the next version, and publishes the change, in one transaction. */
export async function changeRecord(redis: Redis, id: string, fields: Readonly<Record<string, string>>): Promise<void> {
  await redis
    .multi()
    .hset(`stack:${id}`, fields)
    .hincrby(`stack:${id}`, 'version', 1)
    .expire(`stack:${id}`, KEPT_S)
    .publish(CHANNEL, JSON.stringify({ id, ...fields }))
    .exec();
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
