import { cpus } from 'node:os';
import { say } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import type { Part } from '../lib/part.ts';
import { withRedisMeter, type RedisMeter } from '../lib/redis-meter.ts';
import type { Costs } from './costs.ts';
import { measureAnswers, measureEvents } from './event-costs.ts';
import { reportCosts } from './report.ts';
import { measureUploads } from './upload-costs.ts';

/** Measures what uploads, events and held answers cost, as the tables of `docs/scaling.md`. */
export const costs: Part = {
  name: 'costs',
  async run(session) {
    return reportCosts(await withRedisMeter(session.redisUrl, (meter) => measure(session, meter)));
  },
};

async function measure(session: Session, meter: RedisMeter): Promise<Costs> {
  say('uploads');
  const uploads = await measureUploads(session, meter);
  say('events');
  const { event, redisUs } = await measureEvents(session, meter);
  say('held answers');
  const { answer, heldBytes } = await measureAnswers(session, meter, redisUs);
  return { taken: `${new Date().toISOString().slice(0, 10)}, ${machine()}`, ...uploads, event, answer, heldBytes };
}

function machine(): string {
  const all = cpus();
  return `${all.length} cores (${all[0]?.model.trim() ?? 'unknown'}), Node ${process.versions.node}`;
}
