import type { Context } from 'koa';

/** Returns a signal that fires if the client of a request disconnects, and when the answer was sent. */
export function clientGone({ res }: Context): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return gone.signal;
}
