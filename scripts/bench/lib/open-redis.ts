import { Redis } from 'ioredis';

/**
 * Opens a connection that BullMQ can use too. It ignores connection errors, which all connections have when a run is
 * interrupted.
 */
export function openRedis(url: string): Redis {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => undefined);
  return connection;
}
