import type { IncomingMessage } from 'node:http';
import type { Context, Middleware, Next } from 'koa';
import { isLingering, lingerOnClose } from '../compat/lingering-close.ts';

/** A client may continue to send for this long after its answer. */
const LINGER_MS = 10_000;
const CHECK_PERIOD_MS = 250;

/**
 * Lets clients read the answer to a request whose body was not read to its end. A browser that is still sending treats
 * a closed connection as an error and never shows the answer. So the rest of the body is read and discarded, up to 10 s
 * and `maxLingerBytes`. Then the connection is cut.
 */
export function unreadBodies(maxLingerBytes: number): Middleware {
  return (ctx, next) => {
    if (isLingering(ctx.req.socket)) return dropRequest(ctx);
    return mayHaveBody(ctx.req) ? boundUnread(ctx, next, maxLingerBytes) : next();
  };
}

/** Drops a request after an answer that closed the connection. It must not be processed (RFC 9112 section 9.6). */
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
  // The rest may exceed the bound, and then the connection is cut: the client must not send its next request on it.
  const mayExceed = !(Number(req.headers['content-length']) <= maxLingerBytes);
  if (mayExceed && !res.headersSent) res.setHeader('Connection', 'close');
  res.once('finish', () => linger(req, maxLingerBytes));
}

/** Discards the rest of the body after the answer, within the bounds. */
function linger(request: IncomingMessage, maxBytes: number): void {
  // A reader that gave up may still have listeners on the body and would stop it from flowing.
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
  }, CHECK_PERIOD_MS);
  timer.unref();
  request.once('close', () => clearInterval(timer));
}
