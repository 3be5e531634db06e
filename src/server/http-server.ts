import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DeferredManager } from '../deferred/deferred-manager.ts';
import { boundConnections } from '../http/bound-connections.ts';
import { answerClientErrors } from '../http/client-errors.ts';
import { answerExpectations } from '../http/expect-continue.ts';
import { stopAccepting } from '../http/stop-accepting.ts';
import type { UploadIntake } from '../intake/intake.ts';
import type { Config } from '../settings/config.ts';
import { descriptorLimit, maxConnectionsOf } from './descriptors.ts';
import { settleWithin } from './shutdown.ts';

/** Twice the pause of the browser client between two polls: a client that has not asked by then is not about to. */
const IDLE_LIMIT_MS = 500;

/** How long a sender that was refused at the end of the grace has to read its answer. */
const CUT_LIMIT_MS = 500;

/** A reader that takes nothing of its answer is cut after once to twice this time. */
const READER_TIMEOUT_MS = 30_000;

/** Proxies keep idle connections for up to a minute; closing ours first would break their next request. */
const KEEP_ALIVE_MS = 75_000;

/** Starts to listen on the configured address. Rejects with `EADDRINUSE` and its like. */
export async function openHttpServer(handle: RequestListener, config: Config): Promise<Server> {
  // Our own check of `Host` answers a request without one with a problem document.
  const server = createServer({ maxHeaderSize: config.httpMaxHeaderBytes, requireHostHeader: false }, handle);
  answerExpectations(server, handle);
  answerClientErrors(server);
  const maxConnections = maxConnectionsOf(descriptorLimit());
  boundConnections(server, { maxConnections, readerTimeoutMs: READER_TIMEOUT_MS });
  // Slow phones upload for longer than any fixed time; the stall timer watches bodies instead.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // The bytes of headers are bounded. With a bound on their number Node would drop the rest silently.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  return server;
}

/** The address that the server listens on. `0.0.0.0` and `[::]` stand for every address of the machine. */
export function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return `http://${hostOf(address)}:${address.port}`;
}

function hostOf({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address;
}

/**
 * Stops accepting, answers held responses, and lets running requests end. Everything together gets `graceMs`; after
 * that all connections are cut within a second.
 */
export async function endRequests(
  server: Server,
  { manager, intake }: { manager: DeferredManager; intake: UploadIntake },
  graceMs: number,
): Promise<void> {
  const endsAtMs = performance.now() + graceMs;
  const leftMs = () => Math.max(0, endsAtMs - performance.now());
  const closed = stopAccepting(server);
  const settled = settleWithin(closed, IDLE_LIMIT_MS);
  await manager.drain();
  await settleWithin(intake.drain(leftMs()), leftMs() + CUT_LIMIT_MS);
  await settled;
  server.closeIdleConnections();
  await settleWithin(closed, Math.max(CUT_LIMIT_MS, leftMs()));
  server.closeAllConnections();
}
