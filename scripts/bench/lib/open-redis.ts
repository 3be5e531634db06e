import { Redis } from 'ioredis';

/**
 * A connection that BullMQ takes as well. Silent when Redis goes: that happens when a run is interrupted, and to all at
 * once.
 */
export function openRedis(url: string): Redis {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => undefined);
  return connection;
}
