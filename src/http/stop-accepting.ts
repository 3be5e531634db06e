import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';

/**
 * Stops listening, and resolves when the last connection is gone. Connections stay open until their next answer, which
 * says `Connection: close`: Node's own `close` cuts those that are idle just now, and with them the request of a
 * client that is about to use one. The caller cuts what is left, by `closeIdleConnections` and `closeAllConnections`.
 */
export function stopAccepting(server: Server): Promise<void> {
  const sayClose = (_request: IncomingMessage, response: ServerResponse): void => {
    response.shouldKeepAlive = false;
  };
  server.prependListener('request', sayClose);
  server.prependListener('checkContinue', sayClose);
  return new Promise((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
}
