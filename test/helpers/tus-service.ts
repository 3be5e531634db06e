import { createHash } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson } from './client.ts';
import { LONG_HOLD_MS } from './long-hold.ts';
import { redisCommand } from './redis-command.ts';
import type { Service } from './service.ts';
import { filesOfUpload } from './stored-files.ts';

/** Returns the finished upload from the API process at `url`. */
export async function resultOf(url: string, id: string): Promise<Upload> {
  const { body } = await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
  return body;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Returns every file of the upload, also unfinished ones. */
export async function filesOf(service: Service, id: string): Promise<string[]> {
  return await filesOfUpload(service.directory, id);
}

/** Returns its parts and its unfinished files. */
export async function partsOf(service: Service, id: string): Promise<string[]> {
  return (await filesOf(service, id)).filter((path) => path.includes('/parts/') || path.endsWith('.part'));
}

/** Returns the keys of locks of uploads that are held or requested, without those of BullMQ. */
export async function locksIn(service: Service): Promise<unknown> {
  return await redisCommand(service.redis.url, 'KEYS', '{*}:lock*');
}
