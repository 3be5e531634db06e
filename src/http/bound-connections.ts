import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** From this share of the connections on, a new one takes the place of the oldest from which nothing has come. */
const CROWDED_SHARE = 0.9;

/** A connection that is younger than this may be about to send its first bytes. */
const SILENT_MS = 1_000;

/** Bounds of a server's connections. */
export interface ConnectionBounds {
  /** Undefined: no limit. */
  maxConnections: number | undefined;
  /** A reader that takes nothing of an answer is cut after once to twice this time, by how Node notices it. */
  readerTimeoutMs: number;
}

/**
 * Limits the connections of a server and cuts those that only take places: connections from which nothing came, once
 * the server is crowded, and readers that take nothing of their answer. Everything ends with the server.
 */
export function boundConnections(server: Server, { maxConnections, readerTimeoutMs }: ConnectionBounds): void {
  const openedAtMs = new Map<Socket, number>();
  const readers = new WeakMap<Socket, ReaderProgress>();
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    if (maxConnections !== undefined && openedAtMs.size >= maxConnections * CROWDED_SHARE) cutOldestSilent(openedAtMs);
    openedAtMs.set(socket, performance.now());
    socket.once('close', () => openedAtMs.delete(socket));
  });
  // Node drops a connection before anybody hears of it. Its client tries again.
  server.on('drop', () => cutOldestSilent(openedAtMs));
  const timer = setInterval(() => {
    for (const socket of openedAtMs.keys()) {
      watchReader(socket, readerTimeoutMs);
      cutTalkingReader(socket, readers, readerTimeoutMs);
    }
  }, readerTimeoutMs / 4);
  timer.unref();
  server.once('close', () => clearInterval(timer));
}

function cutOldestSilent(openedAtMs: ReadonlyMap<Socket, number>): void {
  const latestMs = performance.now() - SILENT_MS;
  for (const [socket, openedMs] of openedAtMs) {
    if (openedMs > latestMs) return;
    if (socket.bytesRead === 0) return void socket.destroy();
  }
}

/** Node's socket timeout counts bytes that the reader takes as activity, and the HTTP server destroys the socket then. */
function watchReader(socket: Socket, readerTimeoutMs: number): void {
  const isWatched = socket.timeout === readerTimeoutMs;
  if (socket.writableLength > 0 && !isWatched) socket.setTimeout(readerTimeoutMs);
  else if (socket.writableLength === 0 && isWatched) socket.setTimeout(0);
}

/** How far a reader was when it last took something. */
interface ReaderProgress {
  readonly takenBytes: number;
  readonly atMs: number;
  /** What it had sent by then. */
  readonly sentBytes: number;
}

/**
 * Bytes from the reader restart Node's socket timeout, so a reader that sends some is measured by the chunks that the
 * system has accepted. This is coarser: the timeout also counts parts of a large chunk, for a slow reader that sends nothing.
 */
function cutTalkingReader(socket: Socket, readers: WeakMap<Socket, ReaderProgress>, readerTimeoutMs: number): void {
  const takenBytes = socket.bytesWritten - socket.writableLength;
  const last = readers.get(socket);
  const nowMs = performance.now();
  if (socket.writableLength === 0) readers.delete(socket);
  else if (last?.takenBytes !== takenBytes)
    readers.set(socket, { takenBytes, atMs: nowMs, sentBytes: socket.bytesRead });
  else if (nowMs - last.atMs >= readerTimeoutMs && socket.bytesRead > last.sentBytes) socket.destroy();
}
