import { createHash } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson } from './client.ts';
import { LONG_HOLD_MS } from './long-hold.ts';
import { redisCommand } from './redis-command.ts';
import type { Service } from './service.ts';
import { filesOfUpload } from './stored-files.ts';

/** The finished upload, as the API process at `url` tells it. */
export async function resultOf(url: string, id: string): Promise<Upload> {
  const { body } = await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
  return body;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Every file of the upload, the unfinished ones too. */
export async function filesOf(service: Service, id: string): Promise<string[]> {
  return await filesOfUpload(service.directory, id);
}

/** Those of them that were to be made one file, and those that were never ended. */
export async function partsOf(service: Service, id: string): Promise<string[]> {
  return (await filesOf(service, id)).filter((path) => path.includes('/parts/') || path.endsWith('.part'));
}

/** Keys of locks of uploads that are held, or wanted; BullMQ's own are behind the names of its queues. */
export async function locksIn(service: Service): Promise<unknown> {
  return await redisCommand(service.redis.url, 'KEYS', '{*}:lock*');
}
