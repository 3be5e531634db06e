import type { RequestListener, ServerResponse } from 'node:http';

type Callback = (error: Error | null, response: ServerResponse) => void;

/** `on-finished` adds its callbacks to this list. If there is no list, it adds listeners of its own. */
class FinishWatch {
  readonly queue: Callback[] = [];
}

type WatchedResponse = ServerResponse & { __onFinished?: FinishWatch | null };

/**
 * Gives each response one listener, whose function is the same for all. Koa watches the end of responses with
 * `on-finished`, whose own listeners on response and socket take about 1.8 KB while a response is held.
 */
export function withOneFinishListener(handle: RequestListener): RequestListener {
  return (request, response: WatchedResponse) => {
    // The application around an embedded service may use `on-finished` too.
    if (!response.__onFinished) {
      response.__onFinished = new FinishWatch();
      response.on('close', finished);
    }
    return handle(request, response);
  };
}

/** Calls `callback` when the response was sent or cut off, from the shared listener if there is one. */
export function onResponseClose(response: WatchedResponse, callback: () => void): void {
  const watch = response.__onFinished;
  if (watch instanceof FinishWatch) watch.queue.push(callback);
  else response.on('close', callback);
}

function finished(this: WatchedResponse): void {
  const queue = this.__onFinished?.queue ?? [];
  this.__onFinished = null;
  for (const callback of queue) callback(this.req.socket.errored, this);
}
