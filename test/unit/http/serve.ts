import '../../helpers/one-realm.ts';
import type Router from '@koa/router';
import Koa, { type Middleware } from 'koa';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listen } from '../../helpers/listen.ts';

/** Middleware behind a real server. */
export interface Served {
  readonly url: string;
  readonly server: Server;
  /** The errors that Koa has reported. */
  readonly faults: unknown[];
  /** A plain connection, for requests that no client library would send. */
  connect(): Promise<Socket>;
  close(): Promise<void>;
}

/** Serves the middleware. The caller closes the server. */
export async function serve(...stack: readonly Middleware[]): Promise<Served> {
  const app = new Koa();
  const faults: unknown[] = [];
  app.on('error', (error: unknown) => faults.push(error));
  for (const middleware of stack) app.use(middleware);
  const server = createServer(app.callback());
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    faults,
    async connect() {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the middleware of a router. Its types are narrower than the types of other middleware. */
export function routesOf(router: Router): Middleware {
  return router.routes() as unknown as Middleware;
}
