import type { RedisMemory } from '../telemetry/metrics.ts';
import { available, type Redis } from './connection.ts';

/** Reads the memory that Redis uses. Rejects with `service_unavailable` (503). */
export async function readRedisMemory(connection: Pick<Redis, 'info'>): Promise<RedisMemory | undefined> {
  const text = await available(() => connection.info('memory'));
  const numberOf = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
  const [usedBytes, maxBytes] = [numberOf('used_memory'), numberOf('maxmemory')];
  if (Number.isNaN(usedBytes)) return undefined;
  return { usedBytes, maxBytes: maxBytes > 0 ? maxBytes : null };
}
