import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from '../../../test/helpers/patience.ts';
import { startRedisServer, type RedisServer } from '../../../test/helpers/redis-server.ts';
import { startProcess } from '../../../test/helpers/service.ts';
import { KeptProcess } from './kept-process.ts';
import { ForeignFiles } from './foreign-files.ts';
import { Link } from './link.ts';
import { StoragePlace } from './storage-place.ts';

/** The settings of all processes: short timeouts, and one variant per picture. */
const SETTINGS: Readonly<Record<string, string>> = {
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'info',
  PICTURE_OPTIONS: JSON.stringify({ variants: [{ name: 'dot', longestSide: 8, format: 'png' }] }),
  WORKER_CONCURRENCY: '4',
  SWEEP_PERIOD_MS: '1000',
  UPLOAD_SILENCE_MS: '8000',
  UPLOAD_STALL_TIMEOUT_MS: '5000',
  UPLOAD_EXPIRY_MS: '12000',
  UPLOAD_MAX_OPEN_PER_ADDRESS: '1000',
  SHUTDOWN_GRACE_MS: '2000',
};

/**
 * The offsets of the clocks. Of each kind of process, the first has the right time, the second is 10 minutes late, and
 * the third is 5 minutes early.
 */
const CLOCK_OFFSETS_MS = [0, -600_000, 300_000];

const API_ENTRY = resolve('src/server/main.ts');
const WORKER_ENTRY = resolve('workers/main.ts');

const READY_WITHIN_MS = patienceMs(60_000);
const POLL_MS = 20;

/**
 * A whole installation on this machine, with a link in front of each API process and one between each process and
 * Redis.
 */
export interface Fleet {
  readonly redis: RedisServer;
  readonly storage: StoragePlace;
  /** Old files of other programs in the storage, which must not be touched. */
  readonly foreignFiles: ForeignFiles;
  readonly apis: readonly KeptProcess[];
  readonly workers: readonly KeptProcess[];
  /** The URLs of `apis` for clients. They stay the same when a process is restarted. */
  readonly urls: readonly string[];
  readonly apiLinks: readonly Link[];
  /** The links of the API processes, then those of the workers. */
  readonly redisLinks: readonly Link[];
  /** Starts a worker of another installation on the same storage. Resolves with true when it has ended. */
  startSecondInstallation(): Promise<boolean>;
  /** Findings about the ends of the workers of second installations. */
  readonly secondInstallationFindings: readonly string[];
  /** Stops all processes and removes their files. */
  stop(): Promise<void>;
}

/** The size of the fleet, and whether Redis may lose unsynced data. */
interface FleetShape {
  apis: number;
  workers: number;
  powerLoss: boolean;
  /** Further settings of all processes. */
  more: Readonly<Record<string, string>>;
}

/** Resolves when every process is up. */
export async function startFleet({ apis, workers, powerLoss, more }: FleetShape): Promise<Fleet> {
  const redis = await startRedisServer({
    persist: true,
    ...(powerLoss ? { args: ['--appendfsync', 'everysec'] } : {}),
  });
  const storage = await StoragePlace.create();
  const apiLinks = await Promise.all(Array.from({ length: apis }, () => Link.open()));
  const redisLinks = await Promise.all(Array.from({ length: apis + workers }, () => Link.open(redis.url)));
  const processes = redisLinks.map((link, index) => {
    const apiLink = apiLinks[index];
    const env = { ...settings(apiLink === undefined ? index - apis : index, link, storage), ...more };
    return apiLink === undefined ? keptWorker(index - apis, env) : keptApi(index, env, apiLink);
  });
  const secondInstallationFindings: string[] = [];
  const fleet: Fleet = {
    redis,
    storage,
    foreignFiles: new ForeignFiles(storage.directory),
    secondInstallationFindings,
    async startSecondInstallation() {
      secondInstallationFindings.push(...(await runSecondInstallation(redis.url, storage)));
      return true;
    },
    apiLinks,
    redisLinks,
    apis: processes.slice(0, apis),
    workers: processes.slice(apis),
    urls: apiLinks.map(({ url }) => url),
    async stop() {
      await Promise.all(processes.map(async (one) => await one.stop()));
      await Promise.all([...apiLinks, ...redisLinks].map(async (link) => await link.close()));
      await redis.stop();
      await storage.remove();
    },
  };
  for (const one of processes) one.start();
  await untilUp(fleet).catch(async (error: unknown) => {
    await fleet.stop();
    throw error;
  });
  return fleet;
}

/** Resolves when every process is up. After `READY_WITHIN_MS` it throws an error with the names of the others. */
export async function untilUp({ apis, workers }: Pick<Fleet, 'apis' | 'workers'>): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const missing = [...apis, ...workers].filter(({ current }) => current === undefined);
    if (missing.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`not up: ${missing.map(({ name, unasked }) => `${name} ${unasked.join('\n')}`).join(', ')}`);
    await delay(POLL_MS);
  }
}

type Environment = Record<string, string>;

/**
 * Starts an API process that is restarted whenever it ends. Every second one uses `EVENT_BUS=targeted`. Workers publish
 * for both kinds.
 */
function keptApi(index: number, shared: Environment, apiLink: Link): KeptProcess {
  const onUp = (url: string): void => apiLink.retarget(url);
  const env = { ...shared, EVENT_BUS: index % 2 === 0 ? 'stream' : 'targeted' };
  return new KeptProcess({ name: `api ${index}`, entry: API_ENTRY, env, onUp });
}

function keptWorker(index: number, shared: Environment): KeptProcess {
  const env = { ...shared, EVENT_BUS: 'targeted' };
  return new KeptProcess({ name: `worker ${index}`, entry: WORKER_ENTRY, env, onUp: () => undefined });
}

function settings(index: number, redisLink: Link, storage: StoragePlace): Environment {
  return {
    ...SETTINGS,
    REDIS_URL: `redis://127.0.0.1:${redisLink.port}`,
    STORAGE: `file:${storage.path}`,
    CLOCK_OFFSET_MS: String(CLOCK_OFFSETS_MS[index % CLOCK_OFFSETS_MS.length]),
  };
}

/** Checks that the process ends with an error that names the setting. It must change nothing before that. */
async function runSecondInstallation(redisUrl: string, storage: StoragePlace): Promise<string[]> {
  const env = { ...SETTINGS, REDIS_URL: redisUrl, QUEUE_PREFIX: 'staging', STORAGE: `file:${storage.path}` };
  try {
    const worker = await startProcess(WORKER_ENTRY, env);
    await worker.end('SIGKILL');
    return ['a worker of another installation became ready on the storage'];
  } catch (error) {
    return String(error).includes('STORAGE') ? [] : [`a worker of another installation ended with: ${String(error)}`];
  }
}
