import { once } from 'node:events';
import { subscribe } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { LAST_PART_HEADER, type ServerSetup, type UploadServerQuestions, type Usage } from '../questions.ts';

/**
 * The period of the samples. It is short enough to see the peak during half a second. Each sample takes about 50 µs.
 */
const SAMPLE_PERIOD_MS = 20;
const KEEP_ALIVE_MS = 75_000;

let cpuBefore = process.cpuUsage();
let rssBefore = 0;
let rssMost = 0;
let endMs = 0;
let sampling: NodeJS.Timeout | undefined;

/** Answers the questions of a server that `start` starts. */
export function serveUploads(start: (setup: ServerSetup) => Promise<number>): void {
  subscribe('http.server.request.start', (message) => watchEnd(message as Exchange));
  serveQuestions<UploadServerQuestions>({ start, watchMemory, begin, end });
}

/** Starts the server and resolves with its port. */
export async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The message of Node's channel. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

function watchEnd({ request, response }: Exchange): void {
  if (request.headers[LAST_PART_HEADER] === undefined) return;
  request.once('end', () => {
    const readAtMs = performance.now();
    response.once('finish', () => (endMs = Math.max(endMs, performance.now() - readAtMs)));
  });
}

function watchMemory(): void {
  globalThis.gc?.();
  globalThis.gc?.();
  rssBefore = process.memoryUsage.rss();
  rssMost = rssBefore;
  sampling = setInterval(sample, SAMPLE_PERIOD_MS);
}

function begin(): void {
  cpuBefore = process.cpuUsage();
  endMs = 0;
}

function sample(): void {
  rssMost = Math.max(rssMost, process.memoryUsage.rss());
}

function end(): Usage {
  const { user, system } = process.cpuUsage(cpuBefore);
  sample();
  clearInterval(sampling);
  return { cpuUs: user + system, rssGrowth: rssMost - rssBefore, endMs };
}
