import type { IncomingMessage } from 'node:http';
import { awaitsContinue } from '../http/expect-continue.ts';

/** How often within the allowed time the connection is looked at. */
const LOOKS = 4;

/**
 * Calls `onStall`, once, when a request's sender has given nothing for `timeoutMs` while we were
 * ready to read. Time that our side takes does not count, nor does the total: a slow phone gets
 * through, a dead one does not. Returns the release; call it when the body has ended.
 */
export function watchForStall(request: IncomingMessage, timeoutMs: number, onStall: () => void): () => void {
  let seenBytes = request.socket.bytesRead;
  let quietMs = 0;
  const periodMs = Math.ceil(timeoutMs / LOOKS);
  const timer = setInterval(() => {
    const isOurTurn = request.readableLength > 0 || request.complete || awaitsContinue(request);
    const moved = request.socket.bytesRead !== seenBytes;
    seenBytes = request.socket.bytesRead;
    quietMs = moved || isOurTurn ? 0 : quietMs + periodMs;
    if (quietMs < timeoutMs) return;
    clearInterval(timer);
    onStall();
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}
