import { Server, type IncomingMessage, type ServerResponse } from 'node:http';
import { problemOf } from '../errors.ts';
import { createKinds } from '../kinds/kinds.ts';
import { loadOwnKinds } from '../kinds/own/load-processors.ts';
import { serialChanges } from '../http/serial-changes.ts';
import { readOptions, type EmbeddingOptions } from '../settings/options.ts';
import { createLog, type Logger } from '../telemetry/log.ts';
import { endHeldRequests } from './http-server.ts';
import { openService } from './services.ts';

/** The upload service inside another application. */
export interface UploadService {
  /** Answers the requests below `mountPath`. The application decides which requests these are. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Rejects while the service cannot work, for example because Redis is away. `GET /readyz` has the same answer. */
  ready(): Promise<void>;
  /** Returns the metrics of this service in the Prometheus text format, without those of the process. */
  metrics(): Promise<string>;
  /**
   * Answers all held responses, waits up to `shutdownGraceMs` for running uploads, and closes every connection. Further
   * requests are answered with 503. The second call returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Starts the service without a server of its own. It installs no signal handlers and never ends the process. Rejects
 * with one line that names a wrong option, or with the reason why Redis or the storage cannot be used.
 */
export async function createService(options: EmbeddingOptions = {}): Promise<UploadService> {
  const { config, processors } = readOptions(options);
  const log = createLog('api', config);
  const kinds = createKinds(config, await loadOwnKinds(processors, { isEmbedded: true }));
  const service = await openService(config, log, { kinds, isEmbedded: true });
  const warnOfTimeout = timeoutWarning(log);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    service.leave();
    await endHeldRequests(service, config.shutdownGraceMs);
    await service.close();
  };
  return {
    handle: serialChanges((request, response) => {
      if (closing !== undefined) return refuse(response);
      warnOfTimeout(request);
      service.handle(request, response);
    }),
    ready: () => service.ready(),
    metrics: () => service.routes.metrics.text(),
    close: () => (closing ??= close()),
  };
}

function refuse(response: ServerResponse): void {
  const problem = problemOf('shutting_down', 'The upload service is closed. Send the request to another process.');
  response
    .writeHead(problem.status, { 'Content-Type': 'application/problem+json', 'Retry-After': '1' })
    .end(JSON.stringify(problem));
}

/** Returns a function that logs one line at the first request if the server of the application cuts slow uploads. */
function timeoutWarning(log: Logger): (request: IncomingMessage) => void {
  let isChecked = false;
  return ({ socket }) => {
    if (isChecked) return;
    isChecked = true;
    const server: unknown = 'server' in socket ? socket.server : undefined;
    if (server instanceof Server && server.requestTimeout > 0)
      log.warn({ requestTimeoutMs: server.requestTimeout }, 'server cuts slow uploads, set its requestTimeout to 0');
  };
}
