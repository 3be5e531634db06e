import type { RedisMeter } from '../lib/redis-meter.ts';
import { workersCpuUs, type Team } from './contestants.ts';

/** Number of callers that add uploads at the same time, like clients. */
const AT_ONCE = 50;

/** `drain`: all uploads are added before the workers begin. `flow`: they are added while the workers run. */
export type LoadMode = 'drain' | 'flow';

/** The results of a round. Processor times are microseconds per upload or job. */
export interface RoundFigures {
  perSecond: number;
  workerUs: number;
  redisUs: number;
  /** Processor time of the producer; NaN for `drain`. */
  producerUs: number;
}

/** Lets a team process `count` uploads times its factor. */
export async function runRound(team: Team, mode: LoadMode, meter: RedisMeter, uploads: number): Promise<RoundFigures> {
  const { producer } = team;
  const count = uploads * team.contestant.times;
  await producer.ask('prepare', count);
  if (mode === 'drain') {
    await producer.ask('pause');
    await producer.ask('add', { count, atOnce: AT_ONCE });
  }
  const [workersUs, producerUs] = [await workersCpuUs(team), await producer.ask('cpuUs')];
  await meter.begin();
  const startedAtMs =
    mode === 'drain' ? await producer.ask('resume') : await producer.ask('add', { count, atOnce: AT_ONCE });
  const addedUs = (await producer.ask('cpuUs')) - producerUs;
  const finishedAtMs = await producer.ask('finished');
  const redisUs = await meter.cpuUs();
  return {
    perSecond: (count / (finishedAtMs - startedAtMs)) * 1000,
    workerUs: ((await workersCpuUs(team)) - workersUs) / count,
    redisUs: redisUs / count,
    producerUs: mode === 'drain' ? Number.NaN : addedUs / count,
  };
}
