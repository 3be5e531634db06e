import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DeferredManager } from '../deferred/deferred-manager.ts';
import { boundConnections } from '../http/bound-connections.ts';
import { answerClientErrors } from '../http/client-errors.ts';
import { answerExpectations } from '../http/expect-continue.ts';
import { stopAccepting } from '../compat/stop-accepting.ts';
import type { UploadIntake } from '../intake/intake.ts';
import { descriptorLimit, maxConnectionsOf } from './descriptors.ts';
import { waitAtMost } from './shutdown.ts';

/** A silent client is idle after this time: twice the pause between two polls of the browser client. */
const IDLE_LIMIT_MS = 500;

/** A sender that is rejected at the end of the grace period has this time to read its answer. */
const CUT_LIMIT_MS = 500;

/**
 * Connections that the system opens before this process takes them. It refuses more of them silently, and their clients
 * try again after seconds. Node's default is 511, less than the clients that come back at once after a restart.
 */
const MAX_UNACCEPTED = 4096;

/** A client that reads nothing of its answer is cut after one to two times this. */
const READER_TIMEOUT_MS = 30_000;

/** Idle time of connections, longer than that of proxies (Caddy: 120 s), whose next request would break. */
const KEEP_ALIVE_MS = 125_000;

/** The address and the limits with which a server listens. */
interface ListenOptions {
  host: string;
  /** The port; 0 takes any free one. */
  port: number;
  httpMaxHeaderBytes: number;
}

/** Starts to listen on the configured address. Rejects with the error of `listen`, such as `EADDRINUSE`. */
export async function openHttpServer(handle: RequestListener, options: ListenOptions): Promise<Server> {
  // The middleware `allowedHosts` answers a request without `Host` with a problem document.
  const server = createServer({ maxHeaderSize: options.httpMaxHeaderBytes, requireHostHeader: false }, handle);
  answerExpectations(server, handle);
  answerClientErrors(server);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const maxConnections = maxConnectionsOf(descriptorLimit());
  boundConnections(server, { maxConnections, readerTimeoutMs: READER_TIMEOUT_MS });
  // A slow phone may need longer than any fixed time. The stall timer watches bodies instead.
  server.requestTimeout = 0;
  // `maxHeaderSize` limits headers. A limit on their number would make Node drop the rest silently.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: options.host, backlog: MAX_UNACCEPTED }, resolve);
  });
  return server;
}

/** Returns the URL of the listening address. `0.0.0.0` and `[::]` mean every address of the machine. */
export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server is not listening on a port.');
  return `http://${hostOf(address)}:${address.port}`;
}

function hostOf({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address;
}

/** Answers held responses and waits up to `graceMs` for running uploads. The server belongs to someone else. */
export async function endHeldRequests({ manager, intake }: Requests, graceMs: number): Promise<void> {
  const endsAtMs = performance.now() + graceMs;
  await manager.drain();
  const leftMs = Math.max(0, endsAtMs - performance.now());
  await waitAtMost(intake.drain(leftMs), leftMs + CUT_LIMIT_MS);
}

/** The parts that count running requests. */
interface Requests {
  manager: DeferredManager;
  intake: UploadIntake;
}

/**
 * Stops accepting, answers held responses, and waits up to `graceMs` for running requests. Then it cuts the remaining
 * connections within a second.
 */
export async function endRequests(server: Server, requests: Requests, graceMs: number): Promise<void> {
  const endsAtMs = performance.now() + graceMs;
  const leftMs = () => Math.max(0, endsAtMs - performance.now());
  const closed = stopAccepting(server);
  const settled = waitAtMost(closed, IDLE_LIMIT_MS);
  await endHeldRequests(requests, leftMs());
  await settled;
  server.closeIdleConnections();
  await waitAtMost(closed, Math.max(CUT_LIMIT_MS, leftMs()));
  server.closeAllConnections();
}
