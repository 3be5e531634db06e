import type { RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';
import { isSafe } from './request-target.ts';

/** A connection with more waiting requests is closed, because Node reads from it without a limit while they wait. */
const MAX_WAITING = 32;

/** The last change of a connection, and the functions to call when it was answered. */
interface Change {
  isAnswered: boolean;
  readonly waiting: (() => void)[];
}

/** The requests of one connection. */
interface Line {
  last: Change | undefined;
  waiting: number;
}

/**
 * Handles a request that follows a change on the same connection only after that change was answered. A client may send
 * requests without waiting for answers (pipelining), and Node hands them all over at once: a GET after a PUT would not
 * find the upload. Answers wait for each other on such a connection anyway. Only requests
 * that read may run at the same time (RFC 9112 section 9.3.2), but a change is not delayed by a held GET before it.
 */
export function serialChanges(handle: RequestListener): RequestListener {
  const lines = new WeakMap<Duplex, Line>();
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { last: undefined, waiting: 0 };
    const earlier = line.last;
    if (!isSafe(request.method)) {
      const change: Change = { isAnswered: false, waiting: [] };
      line.last = change;
      lines.set(socket, line);
      response.once('close', () => {
        change.isAnswered = true;
        for (const next of change.waiting) next();
      });
    }
    if (earlier === undefined || earlier.isAnswered) {
      handle(request, response);
      return;
    }
    if (line.waiting >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    line.waiting += 1;
    earlier.waiting.push(() => {
      line.waiting -= 1;
      if (!request.destroyed) handle(request, response);
    });
  };
}
