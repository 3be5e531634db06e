import type { IncomingMessage } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import { isLingering, lingerOnClose } from './lingering-close.ts';

/** How long a sender may go on after its answer before it is cut off. */
const LINGER_MS = 10_000;
const LOOK_PERIOD_MS = 250;

/**
 * Answers requests whose body was not read to its end. A browser that is still sending takes a closed
 * connection for an error and never shows the answer; so the rest is read and thrown away, within
 * bounds of time and bytes, and the connection cut only past those.
 */
export function unreadBodies(maxLingerBytes: number): Middleware {
  return (ctx, next) => {
    if (isLingering(ctx.req.socket)) return dropRequest(ctx);
    return mayHaveBody(ctx.req) ? boundUnread(ctx, next, maxLingerBytes) : next();
  };
}

/** The connection was closed with the answer before: a request behind that one must do nothing (RFC 9112 section 9.6). */
async function dropRequest(ctx: Context): Promise<void> {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function mayHaveBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

async function boundUnread({ req, res }: Context, next: Next, maxLingerBytes: number): Promise<void> {
  await next();
  if (req.complete) return;
  lingerOnClose(req.socket);
  res.once('finish', () => linger(req, maxLingerBytes));
}

/** Reads on once the answer is out, and bounds it. */
function linger(request: IncomingMessage, maxBytes: number): void {
  // Whoever read the body and gave up may still be listening, and would hold the rest up.
  request.removeAllListeners('readable');
  request.removeAllListeners('data');
  request.resume();
  const { socket } = request;
  const readBefore = socket.bytesRead;
  const untilMs = performance.now() + LINGER_MS;
  const timer = setInterval(() => {
    const isOver = socket.bytesRead - readBefore > maxBytes || performance.now() > untilMs;
    if (isOver) socket.destroy();
    if (isOver || request.complete || socket.destroyed) clearInterval(timer);
  }, LOOK_PERIOD_MS);
  timer.unref();
  request.once('close', () => clearInterval(timer));
}
