import { compiled } from '../../../test/helpers/compiled.ts';
import { eventually } from '../../../test/helpers/eventually.ts';
import { startService, type Service } from '../../../test/helpers/service.ts';
import type { ChildSpec } from '../../child-life.ts';
import { Supervisor } from '../../supervisor.ts';

const READY_WITHIN_MS = 30_000;

/** An API process and workers under the supervisor of `npm start`. */
export interface Fleet {
  readonly service: Service;
  /** Resolves with the time at which a worker started after `sinceMs`. */
  readyAfter(sinceMs: number): Promise<number>;
  /** Resolves with the time at which a worker died after `sinceMs`. */
  diedAfter(sinceMs: number): Promise<number>;
  stop(): Promise<void>;
  /** Kills the workers at once. A hung worker would outlive this process, unlike the rest of the service. */
  kill(): void;
}

/** Resolves when all processes are ready. */
export async function startFleet(workers: number, env: Readonly<Record<string, string>>): Promise<Fleet> {
  const service = await startService({ apis: 2, workers: 0 });
  const readyAtMs: number[] = [];
  const diedAtMs: number[] = [];
  const supervisor = new Supervisor({
    foundation: [],
    children: Array.from({ length: workers }, (_, index) => workerSpec(`worker-${index}`, service, env)),
    log: { warn: () => diedAtMs.push(Date.now()), error: () => undefined },
    onReady: () => readyAtMs.push(Date.now()),
  });
  await supervisor.start();
  const after = async (what: string, moments: readonly number[], sinceMs: number) =>
    await eventually(what, () => moments.find((atMs) => atMs > sinceMs), READY_WITHIN_MS);
  return {
    service,
    readyAfter: async (sinceMs) => await after('a worker to come up', readyAtMs, sinceMs),
    diedAfter: async (sinceMs) => await after('a worker to die', diedAtMs, sinceMs),
    async stop() {
      await supervisor.stop();
      await service.stop();
    },
    kill: () => supervisor.kill(),
  };
}

function workerSpec(name: string, { redis, directory }: Service, env: Readonly<Record<string, string>>): ChildSpec {
  return {
    name,
    role: 'worker',
    command: process.execPath,
    args: [compiled('scripts/bench/recovery/worker.ts')],
    env: { REDIS_URL: redis.url, STORAGE: `file:${directory}`, LOG_LEVEL: 'silent', ...env },
    ready: { type: 'ready' },
    graceMs: 20_000,
  };
}
