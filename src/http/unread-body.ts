import type { IncomingMessage } from 'node:http';
import type { Context, Middleware, Next } from 'koa';

/** How long a sender may go on after its answer before it is cut off. */
const LINGER_MS = 10_000;
const LOOK_PERIOD_MS = 250;

/**
 * Answers requests whose body was not read to its end. A browser that is still sending takes a closed
 * connection for an error and never shows the answer; so the rest is read and thrown away, within
 * bounds of time and bytes, and the connection cut only past those.
 */
export function unreadBodies(maxLingerBytes: number): Middleware {
  return (ctx, next) => (mayHaveBody(ctx.req) ? boundUnread(ctx, next, maxLingerBytes) : next());
}

function mayHaveBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

async function boundUnread({ req, res }: Context, next: Next, maxLingerBytes: number): Promise<void> {
  await next();
  if (!req.complete) res.once('finish', () => linger(req, maxLingerBytes));
}

/** Reads on once the answer is out, and bounds it. */
function linger(request: IncomingMessage, maxBytes: number): void {
  // Whoever read the body and gave up may still be listening, and Node leaves the rest to such a listener.
  request.removeAllListeners('readable');
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
