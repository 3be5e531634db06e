import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROGRESS_CHANNEL } from '../events/progress-channel.ts';
import { HeldById } from '../lib/held-by-id.ts';
import { openRedis } from '../lib/open-redis.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { OWN_USAGE, type ServerQuestions } from '../lib/server-questions.ts';

/**
 * The smallest server that can hold progress requests: `node:http`, one map of held responses, one Redis subscription.
 * It sends published messages to the client unchanged. With `EVENT_BUS=targeted` it subscribes to each upload, so that
 * several of these servers share the work. Each response has a timer and is released if its client disconnects.
 */
const TIMEOUT_MS = 50_000;
const KEEP_ALIVE_MS = 75_000;

interface Held {
  response: ServerResponse;
  timer: NodeJS.Timeout;
}

/** The newest progress of each upload, for a client that polls with an older version. */
const newest = new Map<string, { version: number; body: string }>();
const held = new HeldById<Held>();
/** Requested uploads, if each has its own subscription. */
const asked = new Set<string>();
let subscribeTo: ((id: string) => void) | undefined;

serveQuestions<ServerQuestions>({
  async start({ redisUrl, settings }) {
    const subscriber = openRedis(redisUrl);
    if (settings['EVENT_BUS'] === 'targeted') {
      subscriber.on('message', (channel: string, body: string) =>
        published(channel.slice(PROGRESS_CHANNEL.length), body),
      );
      subscribeTo = (id) => void subscriber.subscribe(PROGRESS_CHANNEL + id);
    } else {
      subscriber.on('pmessage', (_pattern: string, channel: string, body: string) =>
        published(channel.slice(PROGRESS_CHANNEL.length), body),
      );
      await subscriber.psubscribe(`${PROGRESS_CHANNEL}*`);
    }
    const server = createServer(answer).listen(0, '127.0.0.1');
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  held: () => held.count,
  ...OWN_USAGE,
});

function published(id: string, body: string): void {
  newest.set(id, { version: versionIn(body, '"version":'), body });
  for (const one of held.of(id)) {
    release(id, one);
    send(one.response, body);
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const id = url.slice('/uploads/'.length, url.indexOf('/', '/uploads/'.length));
  const found = newest.get(id);
  if (found !== undefined && found.version !== versionIn(url, 'since=')) return send(response, found.body);
  if (subscribeTo !== undefined && !asked.has(id)) {
    asked.add(id);
    subscribeTo(id);
  }
  const one: Held = { response, timer: setTimeout(() => timedOut(id, one), TIMEOUT_MS) };
  response.on('close', () => release(id, one));
  held.add(id, one);
}

function timedOut(id: string, one: Held): void {
  release(id, one);
  send(one.response, newest.get(id)?.body ?? '{}');
}

function release(id: string, one: Held): void {
  if (held.release(id, one)) clearTimeout(one.timer);
}

function send(response: ServerResponse, body: string): void {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

function versionIn(text: string, mark: string): number {
  return Number.parseInt(text.slice(text.indexOf(mark) + mark.length), 10);
}
