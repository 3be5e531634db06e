import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ChildSpec } from './child-life.ts';
import { redisPing } from './redis-ping.ts';
import type { RedisBinary } from './setup/redis-binary.mjs';

/** The kernel's limit for the path of a unix socket, the end mark included: 108 on Linux, 104 on macOS. */
const SOCKET_PATH_LIMIT_BYTES = 104;

/** Of the machine's memory; the rest is for API, workers and the page cache. */
const MEMORY_SHARE = 0.25;

/** A Redis of this installation's own, for a supervisor to run. */
export interface EmbeddedRedis {
  readonly spec: ChildSpec;
  /** The socket's path, as REDIS_URL and ioredis take it. */
  readonly url: string;
  /** Removes what does not outlive the run. Call when the process is gone. */
  close(): void;
}

/**
 * A server for the data in `directory` (made where missing), reachable only over a socket of
 * its owner. The caller holds a lock on the directory: two servers on one append-only file
 * spoil it.
 */
export function embeddedRedis(binary: RedisBinary, directory: string, graceMs: number): EmbeddedRedis {
  const dataDirectory = resolve(directory);
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const path = chooseSocketPath(dataDirectory);
  const spec: ChildSpec = {
    name: 'redis',
    role: 'redis',
    command: binary.command,
    args: serverArgs(dataDirectory, path),
    ...(binary.argv0 === undefined ? {} : { argv0: binary.argv0 }),
    ...(binary.env === undefined ? {} : { env: binary.env }),
    ready: { probe: () => redisPing({ path }) },
    graceMs,
  };
  const close = (): void => {
    if (dirname(path) !== dataDirectory) rmSync(dirname(path), { recursive: true, force: true });
  };
  return { spec, url: path, close };
}

/** In the data directory, unless the path were too long there, or would not pass through a URL as it is. */
function chooseSocketPath(dataDirectory: string): string {
  const path = join(dataDirectory, 'redis.sock');
  if (Buffer.byteLength(path) < SOCKET_PATH_LIMIT_BYTES && /^[\w./-]+$/.test(path)) return path;
  return join(mkdtempSync(join(tmpdir(), 'deferred-uploads-')), 'redis.sock');
}

/** Of the machine, or of the container if that has less. */
function memoryBytes(): number {
  const containerBytes = process.constrainedMemory();
  return containerBytes > 0 ? Math.min(totalmem(), containerBytes) : totalmem();
}

function serverArgs(dataDirectory: string, socketPath: string): string[] {
  const settings = {
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: dataDirectory,
    // The append-only file holds everything; snapshots beside it would be written for nobody.
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    // BullMQ's keys must never be thrown out.
    'maxmemory-policy': 'noeviction',
    // When it is reached, new uploads are refused. Without it the kernel would end Redis, or anything else.
    maxmemory: String(Math.floor(memoryBytes() * MEMORY_SHARE)),
    // An answer that nobody takes must not fill the memory.
    'client-output-buffer-limit': ['normal', '64mb', '32mb', '10'],
    daemonize: 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value].flat());
}
