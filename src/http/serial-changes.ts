import type { RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Methods that only read, so they may run beside each other (RFC 9112 section 9.3.2). */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Handles a request that follows a change on the same connection only after that change was answered. A client may send
 * requests without waiting for answers (pipelining), and Node hands them all over at once: a GET after a PUT would not
 * find the upload. Answers wait for each other on such a connection anyway.
 */
export function serialChanges(handle: RequestListener): RequestListener {
  const changes = new WeakMap<Duplex, ServerResponse>();
  return (request, response) => {
    const earlier = changes.get(request.socket);
    if (!READING.has(request.method ?? '')) changes.set(request.socket, response);
    if (earlier === undefined || earlier.closed) {
      handle(request, response);
      return;
    }
    earlier.once('close', () => {
      if (!request.destroyed) handle(request, response);
    });
  };
}
