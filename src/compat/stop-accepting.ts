import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';

/**
 * Stops listening, and resolves when the last connection is closed. A connection stays open until its next answer,
 * which contains `Connection: close`. Node's own `close` cuts idle connections at once, and so breaks the request of a
 * client that is about to use one: https://github.com/nodejs/node/issues/60617. The caller closes the remaining
 * connections with `closeIdleConnections` and `closeAllConnections`.
 */
export function stopAccepting(server: Server): Promise<void> {
  const announceClose = (_request: IncomingMessage, response: ServerResponse): void => {
    response.shouldKeepAlive = false;
  };
  server.prependListener('request', announceClose);
  server.prependListener('checkContinue', announceClose);
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}
