import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ChildSpec } from './child-life.ts';
import { redisPing } from './redis-ping.ts';
import type { RedisBinary } from './setup/redis-binary.mjs';

/** The kernel's limit for the path of a unix socket, including the end mark: 108 on Linux, 104 on macOS. */
const SOCKET_PATH_LIMIT_BYTES = 104;

/** Share of the machine's memory. The rest is for the API, the workers and the page cache. */
const MEMORY_SHARE = 0.25;

/** A private Redis, which a supervisor runs. */
export interface EmbeddedRedis {
  readonly spec: ChildSpec;
  /** The path of the socket, in the form of REDIS_URL. */
  readonly url: string;
  /** Removes temporary files. Call it when the process has ended. */
  close(): void;
}

/**
 * Configures a server for the data in `directory`, which is created if missing. It is reachable only over a socket of
 * its owner. The caller holds a lock on the directory, because two servers would damage the append-only file.
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

/**
 * Returns the path of the socket: in the data directory, unless that path would be too long or cannot be part of a URL.
 */
function chooseSocketPath(dataDirectory: string): string {
  const path = join(dataDirectory, 'redis.sock');
  if (Buffer.byteLength(path) < SOCKET_PATH_LIMIT_BYTES && /^[\w./-]+$/.test(path)) return path;
  return join(mkdtempSync(join(tmpdir(), 'deferred-uploads-')), 'redis.sock');
}

/** Returns the memory of the machine, or of the container if that is less. */
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
    // The append-only file holds everything, so snapshots are not needed.
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    // The timer of Redis, which by default wakes an idle server ten times a second. It ends blocking reads and removes
    // expired keys that nobody reads.
    hz: '2',
    // BullMQ requires that its keys are never evicted.
    'maxmemory-policy': 'noeviction',
    // At this limit new uploads are rejected. Without it the kernel could kill Redis or another process.
    maxmemory: String(Math.floor(memoryBytes() * MEMORY_SHARE)),
    // Limits the memory for answers that a client does not read.
    'client-output-buffer-limit': ['normal', '64mb', '32mb', '10'],
    daemonize: 'no',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value].flat());
}
