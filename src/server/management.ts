import type { Server } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import { allowedHosts } from '../access/allowed-hosts.ts';
import { accessLog } from '../http/access-log.ts';
import { methodNotAllowed } from '../http/method-not-allowed.ts';
import { problemResponses } from '../http/problem.ts';
import { onRequestEnd } from '../http/request-end.ts';
import { requestIds } from '../http/request-scope.ts';
import { parsableTargets } from '../http/request-target.ts';
import { managementRoutes, type ManagementRouteParts } from '../routes/service-routes.ts';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { openHttpServer, urlOf } from './http-server.ts';
import { listenError } from './listen-error.ts';

/** The server of the management address. */
export interface Management {
  readonly url: string;
  /** Cuts all connections. */
  close(): void;
}

/**
 * Serves the management address. Undefined if it is the address of the service itself. Rejects with a ConfigError if
 * the process cannot listen there.
 */
export async function openManagement(
  { management: place, httpMaxHeaderBytes }: Config,
  routes: ManagementRouteParts,
  log: Logger,
): Promise<Management | undefined> {
  if (place === undefined) return undefined;
  const app = new Koa();
  app.use(requestIds());
  app.use(onRequestEnd(accessLog(log)));
  app.use(problemResponses(log));
  app.use(parsableTargets());
  app.use(allowedHosts({ host: place.host, allowed: place.allowedHosts }));
  const router = new Router({ strict: true });
  managementRoutes(router, routes);
  app.use(router.routes());
  app.use(methodNotAllowed());
  app.on('error', (error: unknown) => log.debug({ err: error }, 'response aborted'));
  const server = await openHttpServer(app.callback(), { ...place, httpMaxHeaderBytes }).catch((error: unknown) => {
    throw listenError(error, { host: 'MANAGEMENT_HOST', port: 'MANAGEMENT_PORT' }) ?? error;
  });
  return { url: urlOf(server), close: () => cut(server) };
}

function cut(server: Server): void {
  server.close();
  server.closeAllConnections();
}
