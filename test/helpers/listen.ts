import { once } from 'node:events';
import type { Server } from 'node:net';

/** Lets the server listen at a free port of 127.0.0.1, and resolves with the port. The caller closes the server. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
