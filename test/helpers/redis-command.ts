import { Redis } from 'ioredis';

/** Sends one command over a connection of its own. */
export async function redisCommand(url: string, command: string, ...args: string[]): Promise<unknown> {
  const connection = new Redis(url);
  try {
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}
