import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

/** Node's own limit for a whole request is five minutes, which is too long for a test. */
const REQUEST_TIMEOUT_MS = 1000;

/** Loaded into a process under test: the default limit of Node for a request becomes one second. */
const { createServer } = http;
http.createServer = (options, listener) => {
  const server = createServer({ connectionsCheckingInterval: 100, ...options }, listener);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  // Node's default for headers is never longer than that for requests.
  const ownHeadersTimeoutMs = server.headersTimeout;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.once('listening', () => {
    if (server.requestTimeout !== REQUEST_TIMEOUT_MS) server.headersTimeout = ownHeadersTimeoutMs;
  });
  return server;
};
syncBuiltinESMExports();
