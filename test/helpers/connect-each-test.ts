import { afterEach } from '@jest/globals';
import { openConnection, type RawConnection } from './raw-connection.ts';
import { receiving } from './raw-senders.ts';
import type { Service } from './service.ts';

/**
 * After each test, closes the connections that the test has opened with the returned function, and waits until the
 * service receives no body any more.
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
