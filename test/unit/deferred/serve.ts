import http from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa, { type Context, type Middleware } from 'koa';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import type { DeferredManagerOptions } from '../../../src/deferred/manager-options.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface Fault {
  error: unknown;
  where: string;
}

/** A Koa app on a port of its own, with the deferred middleware between `above` and `handlers`. */
export interface Served {
  url: string;
  port: number;
  manager: DeferredManager;
  /** The faults that the manager has reported. */
  faults: Fault[];
  /** The errors of Koa's own error event. */
  appErrors: unknown[];
  /** The contexts, in the order of their requests. */
  contexts: Context[];
  get(path: string): Promise<Answer>;
  /** Opens a request that the test can destroy. Its answer is ignored. */
  open(path: string): http.ClientRequest;
}

export interface ServeOptions extends Partial<DeferredManagerOptions> {
  above?: Middleware[];
  /** Mounts a handler that is no middleware by the types of Koa, such as a router. */
  mount?: (app: Koa) => void;
}

const closers: (() => Promise<void>)[] = [];

/** Closes all servers. Pass it to `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}

export async function serve(handlers: Middleware | Middleware[], options: ServeOptions = {}): Promise<Served> {
  const { above = [], mount, ...managerOptions } = options;
  const faults: Fault[] = [];
  const manager = new DeferredManager({
    reportFault: (error, where) => faults.push({ error, where }),
    ...managerOptions,
  });
  const app = new Koa();
  const appErrors: unknown[] = [];
  const contexts: Context[] = [];
  app.on('error', (error) => appErrors.push(error));
  app.use((ctx, next) => {
    contexts.push(ctx);
    return next();
  });
  for (const middleware of above) app.use(middleware);
  app.use(deferredMiddleware(manager));
  for (const handler of [handlers].flat()) app.use(handler);
  mount?.(app);
  const server = http.createServer(app.callback());
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    manager,
    faults,
    appErrors,
    contexts,
    get: (path) => get(url + path),
    open: (path) => open(url + path),
  };
}

/** Waits turn by turn of the event loop until `condition` holds. Rejects after a deadline. */
export async function until(condition: () => boolean): Promise<void> {
  await turnsUntil(condition.toString(), condition);
}

/** Waits for a few turns of the event loop, so that everything that has begun can happen. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function listen(server: http.Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

function get(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    request.on('error', reject);
  });
}

function open(url: string): http.ClientRequest {
  const request = http.get(url, { agent: false }, (response) => response.resume());
  request.on('error', () => {});
  return request;
}
