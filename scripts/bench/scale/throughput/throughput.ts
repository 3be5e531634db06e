import { say, type CommonOptions } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import type { Part, ScaleOptions } from '../lib/part.ts';
import { withRedisMeter, type RedisMeter } from '../lib/redis-meter.ts';
import { BARE_JOBS, endTeam, startTeam, REPORTING_JOBS, UPLOADS, type Contestant, type Team } from './contestants.ts';
import { runHttpRound, startFront, type HttpFigures, type HttpFront } from './http.ts';
import { reportThroughput, type CountFigures } from './report.ts';
import { runRound, type LoadMode, type RoundFigures } from './round.ts';

const WORKER_COUNTS = [1, 2, 4];
const LOAD_MODES: readonly LoadMode[] = ['flow', 'drain'];

/** Measures uploads without processing, from the queue and from the first byte of the client. */
export const throughput: Part = {
  name: 'throughput',
  async run(session, options) {
    return await withRedisMeter(session.redisUrl, async (meter) => {
      const front = await startFront(session, profiled(options));
      const figures: CountFigures[] = [];
      for (const workers of WORKER_COUNTS) figures.push(await measure(session, front, meter, workers, options));
      return reportThroughput(figures, options);
    });
  },
};

function profiled({ serverOptions, profile }: CommonOptions): string[] {
  return [...serverOptions, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])];
}

/** Runs one round to warm up and then the measured rounds, with both contestants in turn. */
async function measure(
  session: Session,
  front: HttpFront,
  meter: RedisMeter,
  workers: number,
  options: ScaleOptions,
): Promise<CountFigures> {
  const teams: Team[] = [];
  for (const contestant of [BARE_JOBS, REPORTING_JOBS, UPLOADS])
    teams.push(await startTeam(session, contestant, workers, profiled(options)));
  const service = teams.find(({ contestant }) => contestant === UPLOADS);
  if (service === undefined) throw new Error('no contestant takes uploads');
  const measured: { contestant: Contestant; mode: LoadMode; rounds: RoundFigures[] }[] = teams.flatMap(
    ({ contestant }) => LOAD_MODES.map((mode) => ({ contestant, mode, rounds: [] })),
  );
  const http: HttpFigures[] = [];
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
  return { workers, measured, http };
}
