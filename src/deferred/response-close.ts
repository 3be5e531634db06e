import type { Context } from 'koa';

/**
 * True when the response was cut off: it can never be written to its end. A pipelined response has no
 * socket of its own yet and is not told when that of its request is gone, so that one is asked too.
 */
export function isCutOff({ res, req }: Context): boolean {
  return isClosed({ res, req }) && !res.writableFinished;
}

/** Calls `listener` when the response is over, written or cut off, maybe twice. Ends with `unlistenClose`. */
export function listenClose({ res, req }: Context, listener: () => void): void {
  res.on('close', listener);
  if (!res.socket) req.on('close', listener);
}

/** Takes `listener` back. */
export function unlistenClose({ res, req }: Context, listener: () => void): void {
  res.off('close', listener);
  req.off('close', listener);
}

/**
 * True if the response failed because its connection is gone while it waited behind others of that connection: since
 * Node 24 it fails with ECONNRESET then, and before it was not told at all.
 */
export function isConnectionLost({ res }: Pick<Context, 'res'>): boolean {
  const { errored, socket } = res;
  return !socket && errored instanceof Error && 'code' in errored && errored.code === 'ECONNRESET';
}

/** True once nothing more will be written, be it that all is. A request's own end is no end of its response. */
export function isClosed({ res, req }: Pick<Context, 'req' | 'res'>): boolean {
  return res.destroyed || req.socket.destroyed;
}
