import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The client has this long to read the last answer and close. */
const LINGER_MS = 5_000;

/**
 * Sends the last bytes, ends our side of the connection, and discards what the client still sends. Closing both
 * directions at once resets the connection, and a reset discards an answer that the client has not read yet (RFC 9112
 * section 9.6). A second call does nothing. Node itself destroys the connection:
 * https://github.com/nodejs/node/issues/21026
 * @param lingerMs the connection is cut after this time. Default 5000.
 */
export function closeLingering(socket: Duplex, lastBytes = '', lingerMs = LINGER_MS): void {
  if (socket.writableEnded || socket.destroyed) return;
  socket.end(lastBytes);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

/** Replaces the internal method by which Node closes this connection after its last answer. */
export function lingerOnClose(socket: Socket): void {
  socket.destroySoon = () => closeLingering(socket);
}

/** True for a connection that lingers. Further requests on it must be ignored. */
export function isLingering(socket: Socket): boolean {
  return socket.writableEnded;
}
