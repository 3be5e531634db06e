import { createSocket, type Socket } from 'node:dgram';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Outgoing connections use higher ports, so none of them takes a port while its server is down. */
const LEAST_PORT = 12_000;
const MOST_PORT = 32_000;

/** A TCP port of 127.0.0.1 that no other test on this machine gets before it is released. */
export interface HeldPort {
  readonly port: number;
  /** Gives the port back to the other tests. Safe to call twice. */
  release(): void;
}

/**
 * Resolves with a free TCP port of 127.0.0.1. A server may listen there, end, and return at any time. The UDP port of
 * the same number is the lock: the system gives it to only one process, and frees it when that process ends.
 */
export async function holdPort(): Promise<HeldPort> {
  for (;;) {
    const port = randomInt(LEAST_PORT, MOST_PORT);
    const lock = await lockOf(port);
    if (lock === undefined) continue;
    if (await isFree(port)) return { port, release: () => release(lock) };
    lock.close();
  }
}

async function lockOf(port: number): Promise<Socket | undefined> {
  const lock = createSocket('udp4');
  try {
    lock.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(lock, 'listening');
  } catch {
    lock.close();
    return undefined;
  }
  // The lock does not keep the process alive.
  lock.unref();
  return lock;
}

const released = new WeakSet<Socket>();

function release(lock: Socket): void {
  if (released.has(lock)) return;
  released.add(lock);
  lock.close();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
