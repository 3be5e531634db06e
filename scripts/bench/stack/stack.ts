import { Agent } from 'node:http';
import { availableParallelism } from 'node:os';
import { onInterrupt, say, type Bench } from '../lib/bench.ts';
import { withSession } from '../lib/session.ts';
import { redisPid, startHandWritten, startService, type Stack } from './contestants.ts';
import { makeLoads, type StackLoad } from './loads.ts';
import { reportLoad, type LoadFigures, type StackRound } from './report.ts';
import { sendForms } from './send.ts';
import { usageOf } from './usage.ts';

const defaults = {
  photos: 24,
  pictures: 200,
  icons: 600,
  tables: 40,
  connections: 16,
  rounds: 5,
  workers: availableParallelism(),
};
const quick = { photos: 4, pictures: 32, icons: 64, tables: 8, rounds: 1 };

/** Compares the whole service with the stack that a team would write by hand. */
export const stack: Bench<typeof defaults> = {
  name: 'stack',
  summary: 'whole jobs from the first byte to the result, beside Koa + multer + BullMQ + sharp written by hand',
  defaults,
  quick,
  async run(options) {
    const nodeOptions = [
      ...options.serverOptions,
      ...(options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`]),
    ];
    return await withSession(async (session) => {
      const loads = await makeLoads(session.directory, options);
      const stacks = [
        await startService(session, options.workers, nodeOptions),
        await startHandWritten(session, false, options.workers, nodeOptions),
        await startHandWritten(session, true, options.workers, nodeOptions),
      ];
      const redis = await redisPid(session.redisUrl);
      try {
        const reports: string[] = [];
        for (const load of loads) {
          const figures = stacks.map(({ title }): LoadFigures => ({ title, rounds: [] }));
          onInterrupt(() => [...reports, reportLoad(load, figures)].join('\n\n'));
          await measureLoad(stacks, redis, load, options.rounds, figures);
          reports.push(reportLoad(load, figures));
        }
        return reports.join('\n\n');
      } finally {
        for (const one of stacks) await one.end();
      }
    });
  },
};

/** Measures one load. In each round all stacks take the same files in turn. Round 0 warms up. */
async function measureLoad(
  stacks: readonly Stack[],
  redis: number,
  load: StackLoad,
  rounds: number,
  figures: readonly LoadFigures[],
): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, one] of stacks.entries()) {
      say(`${load.title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}: ${one.title}`);
      const measured = await measureRound(one, redis, load, round === 0 ? load.warmUp : load.files);
      if (round > 0) figures[index]?.rounds.push(measured);
    }
  }
}

async function measureRound(one: Stack, redis: number, load: StackLoad, files: number): Promise<StackRound> {
  const agent = new Agent({ keepAlive: true });
  const usages = () => Promise.all([one.apiPids, one.workerPids, [redis]].map((pids) => usageOf(pids)));
  try {
    const before = await usages();
    const startedMs = performance.now();
    const tookMs = await sendForms(one.url, agent, load, files);
    const seconds = (performance.now() - startedMs) / 1000;
    const after = await usages();
    const [apiMs = 0, workerMs = 0, redisMs = 0] = after.map(({ cpuMs }, index) => cpuMs - (before[index]?.cpuMs ?? 0));
    const [api, worker] = after;
    const memory = { apiBytes: api?.residentBytes ?? Number.NaN, workerBytes: worker?.residentBytes ?? Number.NaN };
    return { files, seconds, tookMs, apiMs, workerMs, redisMs, ...memory };
  } finally {
    agent.destroy();
  }
}
