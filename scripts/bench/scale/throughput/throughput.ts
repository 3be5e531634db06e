import { onInterrupt, say, type CommonOptions } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import type { Part, ScaleOptions } from '../lib/part.ts';
import { withRedisMeter, type RedisMeter } from '../lib/redis-meter.ts';
import { BARE_JOBS, endTeam, startTeam, REPORTING_JOBS, UPLOADS, type Team } from './contestants.ts';
import { runHttpRound, startFront, type HttpFront } from './http.ts';
import { reportThroughput, type CountFigures } from './report.ts';
import { runRound, type LoadMode } from './round.ts';

const WORKER_COUNTS = [1, 2, 4];
const LOAD_MODES: readonly LoadMode[] = ['flow', 'drain'];
const CONTESTANTS = [BARE_JOBS, REPORTING_JOBS, UPLOADS];

/** Measures uploads without processing, from the queue and from the first byte of the client. */
export const throughput: Part = {
  name: 'throughput',
  summary: 'uploads without processing, with 1, 2 and 4 workers, beside bare BullMQ',
  async run(session, options) {
    return await withRedisMeter(session.redisUrl, async (meter) => {
      const front = await startFront(session, profiled(options));
      const figures: CountFigures[] = [];
      const report = () => reportThroughput(figures, options);
      onInterrupt(report);
      for (const workers of WORKER_COUNTS) {
        const one = noFigures(workers);
        figures.push(one);
        await measure(session, front, meter, one, options);
      }
      return report();
    });
  },
};

function profiled({ serverOptions, profile }: CommonOptions): string[] {
  return [...serverOptions, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])];
}

function noFigures(workers: number): CountFigures {
  const measured = CONTESTANTS.flatMap((contestant) => LOAD_MODES.map((mode) => ({ contestant, mode, rounds: [] })));
  return { workers, measured, http: [] };
}

/** Runs one round to warm up and then the measured rounds, with both contestants in turn. */
async function measure(
  session: Session,
  front: HttpFront,
  meter: RedisMeter,
  { workers, measured, http }: CountFigures,
  options: ScaleOptions,
): Promise<void> {
  const teams: Team[] = [];
  for (const contestant of CONTESTANTS) teams.push(await startTeam(session, contestant, workers, profiled(options)));
  const service = teams.find(({ contestant }) => contestant === UPLOADS);
  if (service === undefined) throw new Error('no contestant takes uploads');
  for (let round = 0; round <= options.rounds; round += 1) {
    say(round === 0 ? `${workers} workers: warming up` : `${workers} workers: round ${round} of ${options.rounds}`);
    for (const mode of LOAD_MODES) {
      for (const team of teams) {
        const figures = await runRound(team, mode, meter, options.uploads);
        if (round > 0)
          measured.find((one) => one.contestant === team.contestant && one.mode === mode)?.rounds.push(figures);
      }
    }
    const sent = await runHttpRound(front, service, meter, options);
    if (round > 0) http.push(sent);
  }
  await Promise.all(teams.map(endTeam));
}
