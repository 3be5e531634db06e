import { afterEach } from '@jest/globals';
import { openConnection, type RawConnection } from './raw-connection.ts';
import { receiving } from './raw-senders.ts';
import type { Service } from './service.ts';

/**
 * Has a suite close after each test what connections it has opened by the function returned, to the service or to another
 * address, and wait until nothing is received any more.
 */
export function connectEachTest(service: () => Pick<Service, 'url'>): (url?: string) => Promise<RawConnection> {
  let connections: RawConnection[] = [];

  afterEach(async () => {
    for (const connection of connections) connection.close();
    connections = [];
    await receiving(service().url, 0);
  });
  return async (url = service().url) => {
    const connection = await openConnection(url);
    connections.push(connection);
    return connection;
  };
}
