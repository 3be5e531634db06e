import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long the other side has to read the last answer and close. */
const LINGER_MS = 5_000;

/**
 * Ends our side of a connection, with the last bytes where there are some, and reads on for a while what the other
 * side still sends. To close both ways at once would reset the connection, and a reset throws away the
 * answer where it was not read yet (RFC 9112 section 9.6). A second call does nothing.
 * @param lingerMs until the connection is cut all the same. Default 5000.
 */
export function closeLingering(socket: Duplex, lastBytes = '', lingerMs = LINGER_MS): void {
  if (socket.writableEnded || socket.destroyed) return;
  socket.end(lastBytes);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** Lets a connection linger that Node is about to close after an answer, as where the request asked for that. */
export function lingerOnClose(socket: Socket): void {
  socket.destroySoon = () => closeLingering(socket);
}

/** True for a connection that lingers: what else comes over it is no request of ours. */
export function isLingering(socket: Socket): boolean {
  return socket.writableEnded;
}
