import { setTimeout as delay } from 'node:timers/promises';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { printOnSignals } from '../lib/session.ts';
import { startInstallation, type Installation } from './installation.ts';
import { readUsage } from './process-usage.ts';
import { reportIdle, type IdleFigures, type IdleRound, type Role } from './report.ts';

/** Defaults of the options, in seconds except for `rounds`. */
const defaults = { settle: 30, seconds: 60, rounds: 3 };
const quick = { settle: 2, seconds: 3, rounds: 1 };

const WORKER_COUNTS = [1, 2];

/** Measures what `npm start` costs while it has nothing to do. */
export const idle: Bench<typeof defaults> = {
  name: 'idle',
  summary: 'processor time, wake-ups and memory of npm start with nothing to do, with 1 and 2 workers',
  defaults,
  quick,
  async run(options) {
    const figures = WORKER_COUNTS.map((workers): IdleFigures => ({ workers, rounds: [] }));
    const report = () => reportIdle(figures, options);
    onInterrupt(report);
    for (const one of figures) await measure(one, options);
    return report();
  },
};

async function measure({ workers, rounds }: IdleFigures, options: typeof defaults): Promise<void> {
  const installation = await startInstallation(workers);
  const giveSignalsBack = printOnSignals(() => installation.end());
  try {
    say(`${workers} workers: settling`);
    await delay(options.settle * 1000);
    while (rounds.length < options.rounds) {
      say(`${workers} workers: round ${rounds.length + 1} of ${options.rounds}`);
      rounds.push(await measureRound(installation, options.seconds));
    }
  } finally {
    await installation.end();
    giveSignalsBack();
  }
}

async function measureRound({ pids }: Installation, seconds: number): Promise<IdleRound> {
  const usages = () => mapRoles((role) => readUsage(pids[role]));
  const [before, startedMs] = [usages(), performance.now()];
  await delay(seconds * 1000);
  const [after, tookMs] = [usages(), performance.now() - startedMs];
  return mapRoles((role) => ({
    percent: (100 * (after[role].cpuMs - before[role].cpuMs)) / tookMs,
    wakeUps: (1000 * (after[role].wakeUps - before[role].wakeUps)) / tookMs,
    memoryBytes: after[role].memoryBytes,
  }));
}

function mapRoles<T>(of: (role: Role) => T): Record<Role, T> {
  return { api: of('api'), workers: of('workers'), redis: of('redis'), supervisor: of('supervisor') };
}
