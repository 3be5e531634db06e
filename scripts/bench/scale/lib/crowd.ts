import { randomUUID } from 'node:crypto';
import type { FiringQuestions } from '../../children/firing.ts';
import type { Session } from '../../lib/session.ts';
import { sum } from '../../lib/statistics.ts';

/** The number of processes, because one alone could not fire 10,000 events per second. */
const PROCESSES = 2;
const UPLOADS = 500;

/** Worker processes that work on uploads for which nobody waits. */
export interface Crowd {
  /** Fires events at this total rate, and resolves with the reached rate when all are created. */
  fire(load: { perSecond: number; seconds: number }): Promise<{ events: number; perSecond: number }>;
  end(): Promise<void>;
}

/** Starts the processes and prepares their uploads. */
export async function startCrowd(session: Session, settings: Readonly<Record<string, string>>): Promise<Crowd> {
  const all = Array.from({ length: PROCESSES }, () => session.start<FiringQuestions>('firing'));
  const newIds = () => Array.from({ length: UPLOADS }, () => randomUUID());
  await Promise.all(
    all.map((one) => one.ask('open', { source: 'record', redisUrl: session.redisUrl, ids: newIds(), settings })),
  );
  return {
    async fire({ perSecond, seconds }) {
      const share = perSecond / PROCESSES;
      const startedMs = performance.now();
      const fired = await Promise.all(
        all.map((one) => one.ask('fire', { events: Math.round(share * seconds), perSecond: share })),
      );
      const events = sum(fired.map(({ created }) => created.length));
      return { events, perSecond: events / ((performance.now() - startedMs) / 1000) };
    },
    end: async () => void (await Promise.all(all.map((one) => one.end()))),
  };
}
