import type { Context } from 'koa';

/**
 * True if the response was cut off and can never be written completely. A pipelined response has no socket of its own
 * yet and does not notice when the request's socket has gone, so that one is checked too.
 */
export function isCutOff({ res, req }: Context): boolean {
  return isClosed({ res, req }) && !res.writableFinished;
}

/**
 * Calls `listener` when the response has ended, written or cut off. It may be called twice. End it with
 * `unlistenClose`.
 */
export function listenClose({ res, req }: Context, listener: () => void): void {
  res.on('close', listener);
  if (!res.socket) req.on('close', listener);
}

/** Removes `listener`. */
export function unlistenClose({ res, req }: Context, listener: () => void): void {
  res.off('close', listener);
  req.off('close', listener);
}

/**
 * True if the response failed because its connection was lost while it waited behind others of that connection. Since
 * Node 24 it fails with ECONNRESET; earlier versions do not report it.
 */
export function isConnectionLost({ res }: Pick<Context, 'res'>): boolean {
  const { errored, socket } = res;
  return !socket && errored instanceof Error && 'code' in errored && errored.code === 'ECONNRESET';
}

/** True once nothing more will be written, also if all was written. The end of a request does not end its response. */
export function isClosed({ res, req }: Pick<Context, 'req' | 'res'>): boolean {
  return res.destroyed || req.socket.destroyed;
}
