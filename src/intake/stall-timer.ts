import type { IncomingMessage } from 'node:http';
import { awaitsContinue } from '../http/expect-continue.ts';

/** How often the connection is checked within the allowed time. */
const CHECKS = 4;

/**
 * Calls `onStall` once if a request's sender gives nothing for `timeoutMs` while we read its body. Only full periods
 * of reading count. A storage, a Redis or a machine that is slow stops the reading, so it is never charged to the
 * sender; nor is the total time: a slow phone gets through, a dead one does not. `onStall` comes at most a quarter of
 * `timeoutMs` late. Returns the release; call it when the body has ended.
 */
export function watchForStall(request: IncomingMessage, timeoutMs: number, onStall: () => void): () => void {
  let seenBytes = request.socket.bytesRead;
  let wasReading = isReading(request);
  let quietMs = 0;
  const periodMs = Math.ceil(timeoutMs / CHECKS);
  const timer = setInterval(() => {
    const hasRead = request.socket.bytesRead !== seenBytes;
    const isStillReading = wasReading && isReading(request);
    seenBytes = request.socket.bytesRead;
    wasReading = isReading(request);
    quietMs = isStillReading && !hasRead ? quietMs + periodMs : 0;
    if (quietMs < timeoutMs) return;
    clearInterval(timer);
    onStall();
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** True while the body is being read: false before it is opened, while it is paused because of what it is written to, and after its end. */
export function isReading(request: IncomingMessage): boolean {
  return (
    request.readableFlowing === true && request.readableLength === 0 && !request.complete && !awaitsContinue(request)
  );
}
