import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, type ServiceProcess } from '../../../test/helpers/service.ts';
import { WORKER_ALLOCATOR } from '../../allocator.ts';
import { API_THREADS } from '../../api-threads.ts';
import type { Session } from './session.ts';

/** Options of the service. */
export interface ServiceOptions {
  workers: number;
  /** Settings besides the defaults. */
  env?: Readonly<Record<string, string>>;
  /** Further settings of the workers. */
  workerEnv?: Readonly<Record<string, string>>;
  /** Options of Node for the API process. */
  apiOptions?: readonly string[];
  workerOptions?: readonly string[];
}

/** One API process and its worker processes. */
export interface ServiceProcesses {
  api: ServiceProcess;
  workers: readonly ServiceProcess[];
  readonly end: () => Promise<void>;
}

/**
 * Starts the service like `npm start`, with the Redis of the session and files below its directory. If one process does
 * not start, the others are ended.
 */
export async function startServiceProcesses(
  { redisUrl, directory }: Session,
  options: ServiceOptions,
): Promise<ServiceProcesses> {
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: redisUrl,
    STORAGE: `file:${join(directory, 'files')}`,
    ...options.env,
  };
  const starting = [
    startProcess(entry('src/server/main.ts'), { ...API_THREADS, ...env }, options.apiOptions),
    ...Array.from({ length: options.workers }, () =>
      startProcess(
        entry('workers/main.ts'),
        { ...env, ...WORKER_ALLOCATOR, ...options.workerEnv },
        options.workerOptions,
      ),
    ),
  ];
  const end = async () => {
    const started = (await Promise.allSettled(starting)).filter((one) => one.status === 'fulfilled');
    await Promise.all(started.map(({ value }) => value.end()));
  };
  try {
    const [api, ...workers] = await Promise.all(starting);
    if (api === undefined) throw new Error('nothing was started');
    return { api, workers, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function entry(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
