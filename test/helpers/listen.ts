import { once } from 'node:events';
import type { Server } from 'node:net';

/** Has the server listen at a free port of 127.0.0.1, and resolves with the port. Whoever has made the server closes it. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
