import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Above this share of the limit, a new connection replaces the oldest connection that has sent nothing. */
const CROWDED_SHARE = 0.9;

/** From this share down the server is not crowded. The gap keeps changes rare: each one visits all connections. */
const CALM_SHARE = 0.8;

/**
 * On a crowded server an idle connection is closed after this time. Only answers to requests that arrived while it was
 * crowded announce this time. Other clients may send a request on a closing connection, and have to send it again.
 */
const CROWDED_KEEP_ALIVE_MS = 1_000;

/** A silent connection is cut after this time. A younger one may be about to send its first bytes. */
const SILENT_MS = 1_000;

/** Bounds of a server's connections. */
interface ConnectionBounds {
  /** Undefined means no limit. */
  maxConnections: number | undefined;
  /** A client that reads nothing of its answer is cut after this time, at most twice this time. */
  readerTimeoutMs: number;
}

/**
 * Limits the connections of a server. If it is crowded, it cuts connections that have sent nothing, and closes others
 * soon after their answer. It also cuts clients that do not read their answer. Its timer ends when the server closes.
 */
export function boundConnections(server: Server, { maxConnections, readerTimeoutMs }: ConnectionBounds): void {
  const openedAtMs = new Map<Socket, number>();
  const readers = new WeakMap<Socket, ReaderProgress>();
  const keepAliveMs = server.keepAliveTimeout;
  const crowd = (maxConnections ?? Infinity) * CROWDED_SHARE;
  const calm = (maxConnections ?? Infinity) * CALM_SHARE;
  let isCrowded = false;
  const changed = (): void => {
    const wasCrowded = isCrowded;
    isCrowded = openedAtMs.size > (wasCrowded ? calm : crowd);
    if (isCrowded === wasCrowded) return;
    // Node reads this value at the end of each answer.
    server.keepAliveTimeout = isCrowded ? Math.min(keepAliveMs, CROWDED_KEEP_ALIVE_MS) : keepAliveMs;
    if (isCrowded) shortenIdle(openedAtMs.keys(), keepAliveMs);
  };
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    if (openedAtMs.size >= crowd) cutOldestSilent(openedAtMs);
    openedAtMs.set(socket, performance.now());
    changed();
    socket.once('close', () => {
      openedAtMs.delete(socket);
      changed();
    });
  });
  // Node has closed the new connection without an event for it. Its client retries.
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

/** Shortens the timeout that Node has set for idle connections. The next request resets it. */
function shortenIdle(sockets: Iterable<Socket>, keepAliveMs: number): void {
  for (const socket of sockets) if ((socket.timeout ?? 0) >= keepAliveMs) socket.setTimeout(CROWDED_KEEP_ALIVE_MS);
}

function cutOldestSilent(openedAtMs: ReadonlyMap<Socket, number>): void {
  const latestMs = performance.now() - SILENT_MS;
  for (const [socket, openedMs] of openedAtMs) {
    if (openedMs > latestMs) return;
    if (socket.bytesRead === 0) return void socket.destroy();
  }
}

/** Sets Node's socket timeout, which cuts a client that reads nothing. Each read of the client restarts it. */
function watchReader(socket: Socket, readerTimeoutMs: number): void {
  const isWatched = socket.timeout === readerTimeoutMs;
  if (socket.writableLength > 0 && !isWatched) socket.setTimeout(readerTimeoutMs);
  else if (socket.writableLength === 0 && isWatched) socket.setTimeout(0);
}

/** The state of a client when it last read bytes. */
interface ReaderProgress {
  readonly takenBytes: number;
  readonly atMs: number;
  /** Bytes that the client had sent until then. */
  readonly sentBytes: number;
}

/**
 * Cuts a client that sends bytes but reads none. Node's socket timeout does not find it, because each received byte
 * restarts that timeout. So this counts the chunks that the operating system has accepted.
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
