import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guardAgainstOrphan } from '../../scripts/orphan-guard.ts';
import { redisPing, type RedisAddress } from '../../scripts/redis-ping.ts';
import { inheritedEnvironment } from '../../scripts/setup/command.mjs';
import { ensureRedisServer } from '../../scripts/setup/redis-binary.mjs';
import { holdPort } from './hold-port.ts';
import { patienceMs } from './patience.ts';

const POLL_MS = 5;
const START_DEADLINE_MS = 10_000;

export interface RedisServerOptions {
  /** Default `'socket'`, a unix socket. 0 is a TCP port of 127.0.0.1 that no other test gets before `stop`. */
  readonly port?: 0 | 'socket';
  /** Keeps its data over `down` and `up` (append-only file, every write synced). Default false. */
  readonly persist?: boolean;
  /** Further arguments of redis-server, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[];
}

/** A real redis-server for a suite that stops, freezes, flushes or reconfigures it. Other suites use `sharedRedis`. */
export interface RedisServer {
  /**
   * The address for ioredis and REDIS_URL: the path of the socket, or `redis://127.0.0.1:<port>`. It stays the same
   * over restarts.
   */
  readonly url: string;
  /** The pid of the current process. It changes with every `up`. */
  readonly pid: number;
  /** The directory of its data. */
  readonly directory: string;
  /** Ends the server like a crash (SIGKILL) or in order (SIGTERM). Connections are refused until `up`. */
  down(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts the server again at the same URL. Resolves when it answers. */
  up(): Promise<void>;
  /** `down`, then `up`. */
  restart(): Promise<void>;
  /** Ends the server, removes its directory and releases its port. Safe to call twice. */
  stop(): Promise<void>;
}

/** Resolves when the server answers PING. The caller stops it. It also ends with the process of the caller. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'du-redis-'));
  const held = options.port === 0 ? await holdPort() : undefined;
  const address = held === undefined ? { path: join(directory, 'redis.sock') } : { host: '127.0.0.1', port: held.port };
  const args = [...addressArgs(address), ...dataArgs(directory, options.persist ?? false), ...(options.args ?? [])];
  let running = await launchRedis(args, address);
  const down = (signal?: 'SIGKILL' | 'SIGTERM'): Promise<void> => running.end(signal);
  const up = async (): Promise<void> => {
    running = await launchRedis(args, address);
  };
  return {
    url: 'path' in address ? address.path : `redis://${address.host}:${address.port}`,
    get pid() {
      return running.pid;
    },
    directory,
    down,
    up,
    restart: () => down().then(up),
    async stop() {
      await down();
      held?.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One life of a server. */
export interface RunningRedis {
  readonly pid: number;
  /** Ends the server. Default SIGKILL, like a crash. Safe to call twice. */
  end(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Runs redis-server and resolves when it answers. The caller ends it. It also ends with the process of the caller. */
export async function launchRedis(args: readonly string[], address: RedisAddress): Promise<RunningRedis> {
  const binary = await ensureRedisServer((line) => console.log(line));
  const child = spawn(binary.command, args, {
    ...(binary.argv0 === undefined ? {} : { argv0: binary.argv0 }),
    env: inheritedEnvironment(binary.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4096)));
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const callOff = guardAgainstOrphan(pid, 0, 'KILL');
  const end = async (signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> => {
    await endAndWait(child, signal);
    callOff();
  };
  if (await untilAnswering(child, address)) return { pid, end };
  await end();
  throw new Error(`redis-server did not start:\n${output}`);
}

async function untilAnswering(child: ChildProcess, address: RedisAddress): Promise<boolean> {
  const deadline = Date.now() + patienceMs(START_DEADLINE_MS);
  while (isRunning(child) && Date.now() < deadline) {
    if (await redisPing(address)) return true;
    await delay(POLL_MS);
  }
  return false;
}

async function endAndWait(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function addressArgs(address: RedisAddress): string[] {
  if ('path' in address) return ['--port', '0', '--unixsocket', address.path];
  return ['--port', String(address.port), '--bind', address.host];
}

function dataArgs(directory: string, persist: boolean): string[] {
  const persistence = persist ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  return ['--dir', directory, '--save', '', ...persistence, '--maxmemory-policy', 'noeviction', '--daemonize', 'no'];
}
