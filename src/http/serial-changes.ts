import type { RequestListener, ServerResponse } from 'node:http';
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
 * Handles requests that a client sends without waiting for answers (pipelining). Node hands them all over at once. Only
 * requests that read may run at the same time (RFC 9112 section 9.3.2). So a change is handled when all requests before
 * it on its connection are answered, and a request after a change when that change is answered. Otherwise a GET after a
 * PUT would not find the upload, and a held GET would be answered by the DELETE after it.
 */
export function serialChanges(handle: RequestListener): RequestListener {
  const lines = new WeakMap<Duplex, Line>();
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { last: undefined, waiting: 0 };
    const earlier = line.last;
    const isChange = !isSafe(request.method);
    if (isChange) {
      line.last = changeOf(response);
      lines.set(socket, line);
    }
    // Node gives the socket to a response when all responses before it are finished.
    const mustWait = isChange ? response.socket === null : earlier?.isAnswered === false;
    if (!mustWait) {
      handle(request, response);
      return;
    }
    if (line.waiting >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    line.waiting += 1;
    const proceed = (): void => {
      line.waiting -= 1;
      if (!request.destroyed) handle(request, response);
    };
    if (isChange) response.once('socket', proceed);
    else earlier?.waiting.push(proceed);
  };
}

function changeOf(response: ServerResponse): Change {
  const change: Change = { isAnswered: false, waiting: [] };
  response.once('close', () => {
    change.isAnswered = true;
    for (const next of change.waiting) next();
  });
  return change;
}
