import type { RedisMeter } from '../lib/redis-meter.ts';
import { workersCpuUs, type Team } from './contestants.ts';

/** Added one after the other by so many callers, as requests of clients would. */
const AT_ONCE = 50;

/** `drain`: all is added before the workers begin; `flow`: it is added while they work. */
export type Manner = 'drain' | 'flow';

/** What a round has measured; processor times in microseconds for each upload or job. */
export interface RoundFigures {
  perSecond: number;
  workerUs: number;
  redisUs: number;
  /** NaN for `drain`. */
  producerUs: number;
}

/** Has a team do `count` uploads, times its own factor. */
export async function runRound(team: Team, manner: Manner, meter: RedisMeter, uploads: number): Promise<RoundFigures> {
  const { producer } = team;
  const count = uploads * team.contestant.times;
  await producer.ask('prepare', count);
  if (manner === 'drain') {
    await producer.ask('pause');
    await producer.ask('add', { count, atOnce: AT_ONCE });
  }
  const [workersUs, producerUs] = [await workersCpuUs(team), await producer.ask('cpuUs')];
  await meter.begin();
  const startedAtMs =
    manner === 'drain' ? await producer.ask('resume') : await producer.ask('add', { count, atOnce: AT_ONCE });
  const addedUs = (await producer.ask('cpuUs')) - producerUs;
  const finishedAtMs = await producer.ask('finished');
  const redisUs = await meter.cpuUs();
  return {
    perSecond: (count / (finishedAtMs - startedAtMs)) * 1000,
    workerUs: ((await workersCpuUs(team)) - workersUs) / count,
    redisUs: redisUs / count,
    producerUs: manner === 'drain' ? Number.NaN : addedUs / count,
  };
}
