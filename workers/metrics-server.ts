import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../src/settings/config.ts';
import type { Logger } from '../src/telemetry/log.ts';

/** The number of ports to try, because `npm start` runs at most this number of workers. */
const MOST_PORTS = 256;

/** Limit for one request. A scrape takes only milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** The address at which a worker serves its metrics. */
interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** A server of metrics. */
export interface MetricsServer {
  readonly url: string;
  close(): void;
}

/**
 * Serves `/metrics`, and `/healthz` for probes. Each of several workers on one machine takes the next free port.
 * Rejects with a `ConfigError` if the process cannot listen.
 */
export async function openMetricsServer(
  { host, port }: MetricsAddress,
  metrics: MetricsText,
  log: Logger,
): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') response.end('ok\n');
    else if (path !== '/metrics') response.writeHead(404).end('not found\n');
    else
      metrics.text().then(
        (text) =>
          response.writeHead(200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' }).end(text),
        (error: unknown) => {
          log.error({ err: error }, 'metrics not read');
          response.writeHead(500).end('internal error\n');
        },
      );
  });
  await listenFrom(server, host, port);
  server.unref();
  const { port: found } = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${found}/metrics`;
  log.info({ url }, 'metrics listening');
  return {
    url,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function listenFrom(server: Server, host: string, port: number): Promise<void> {
  const last = port === 0 ? 0 : Math.min(65_535, port + MOST_PORTS - 1);
  for (let next = port; ; next += 1) {
    try {
      return await listen(server, host, next);
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (isTaken && next < last) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError(`METRICS_HOST and METRICS_PORT: the worker cannot listen there: ${reason}`);
    }
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
