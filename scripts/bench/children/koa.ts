import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import { PROGRESS_CHANNEL } from '../events/progress-channel.ts';
import { HeldById } from '../lib/held-by-id.ts';
import { openRedis } from '../lib/open-redis.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { OWN_USAGE, type ServerQuestions } from '../lib/server-questions.ts';

/**
 * The smallest Koa app that can hold progress requests: each handler waits for a promise, which a published message or
 * a timer resolves. It has no router and no other middleware.
 */
const TIMEOUT_MS = 50_000;
const KEEP_ALIVE_MS = 75_000;

/** Ends one held response with this body. */
type Resolve = (body: string) => void;

const held = new HeldById<Resolve>();

serveQuestions<ServerQuestions>({
  async start({ redisUrl }) {
    const subscriber = openRedis(redisUrl);
    subscriber.on('pmessage', (_pattern: string, channel: string, body: string) =>
      published(channel.slice(PROGRESS_CHANNEL.length), body),
    );
    await subscriber.psubscribe(`${PROGRESS_CHANNEL}*`);
    const app = new Koa();
    app.silent = true;
    app.use(answer);
    const server = createServer(app.callback()).listen(0, '127.0.0.1');
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  held: () => held.count,
  ...OWN_USAGE,
});

function published(id: string, body: string): void {
  for (const resolve of held.of(id)) resolve(body);
}

async function answer(ctx: Context): Promise<void> {
  const id = ctx.path.slice('/uploads/'.length, ctx.path.indexOf('/', '/uploads/'.length));
  const body = await new Promise<string>((resolve) => hold(ctx, id, resolve));
  ctx.type = 'application/json';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = body;
}

function hold({ res }: Context, id: string, resolve: Resolve): void {
  const one: Resolve = (body) => {
    clearTimeout(timer);
    held.release(id, one);
    resolve(body);
  };
  const timer = setTimeout(one, TIMEOUT_MS, '{}');
  res.on('close', () => one('{}'));
  held.add(id, one);
}
