import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const counted = new WeakMap<Socket, number>();

/**
 * Returns the bytes that the connection of a request received since the last call for it: those of the request, with
 * its headers. Call it once, at the end of each request.
 */
export function bytesReceivedBy({ socket }: Pick<IncomingMessage, 'socket'>): number {
  const before = counted.get(socket) ?? 0;
  counted.set(socket, socket.bytesRead);
  return Math.max(0, socket.bytesRead - before);
}
