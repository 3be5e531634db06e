import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScript } from '../../../test/helpers/script-process.ts';
import type { Role } from './report.ts';

/** A running `npm start` with the default settings, in a new directory. */
export interface Installation {
  readonly pids: Readonly<Record<Role, readonly number[]>>;
  end(): Promise<void>;
}

/** Starts everything and resolves when it accepts uploads. */
export async function startInstallation(workers: number): Promise<Installation> {
  const cwd = await mkdtemp(join(tmpdir(), 'du-idle-'));
  const env = { HOST: '127.0.0.1', PORT: '0', WORKERS: String(workers) };
  const supervisor = runScript('scripts/start.ts', [], { cwd, env });
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    supervisor.signal('SIGTERM');
    await supervisor.ended;
    await rm(cwd, { recursive: true, force: true });
  };
  try {
    await supervisor.printed('"started"');
    const run = join(cwd, 'data', 'run');
    const files = (await readdir(run)).filter((file) => file.endsWith('.pid'));
    const pidsOf = async (beginning: string) =>
      await Promise.all(files.filter((file) => file.startsWith(beginning)).map((file) => readPid(join(run, file))));
    const [api, worker, redis] = await Promise.all(['api', 'worker', 'redis'].map(pidsOf));
    const pids = { api: api ?? [], workers: worker ?? [], redis: redis ?? [], supervisor: [supervisor.pid] };
    return { pids, end: () => (ending ??= end()) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Reads a file in which the supervisor records a process. */
async function readPid(path: string): Promise<number> {
  const { pid } = JSON.parse(await readFile(path, 'utf8')) as { pid: number };
  return pid;
}
