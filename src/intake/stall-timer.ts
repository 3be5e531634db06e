import type { IncomingMessage } from 'node:http';
import { awaitsContinue } from '../http/expect-continue.ts';

/** How often the connection is checked within the allowed time. */
const CHECKS = 4;

/**
 * Calls `onStall` once if the client sends nothing for `timeoutMs` while this process reads the body. Time in which a
 * slow storage, Redis or machine stops the reading does not count. There is no limit for the total time, so a slow
 * client can finish. `onStall` is at most a quarter of `timeoutMs` late. Returns the release. Call it when the body has
 * ended.
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

/** True while the body is read. False before the reading starts, while its destination pauses it, and after its end. */
export function isReading(request: IncomingMessage): boolean {
  return (
    request.readableFlowing === true && request.readableLength === 0 && !request.complete && !awaitsContinue(request)
  );
}
