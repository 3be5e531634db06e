import { onInterrupt, say } from '../../lib/bench.ts';
import type { Session } from '../../lib/session.ts';
import type { Part } from '../lib/part.ts';
import { withRedisMeter, type RedisMeter } from '../lib/redis-meter.ts';
import type { Costs, UploadCost } from './costs.ts';
import { measureAnswers, measureEvents } from './event-costs.ts';
import { reportCosts } from './report.ts';
import { measureUploads } from './upload-costs.ts';

const NO_UPLOAD: UploadCost = {
  bytesIn: Number.NaN,
  bytesMade: Number.NaN,
  apiUs: Number.NaN,
  workerUs: Number.NaN,
  redisUs: Number.NaN,
  recordBytes: Number.NaN,
  events: Number.NaN,
};

const NOT_MEASURED: Costs = {
  photo: NO_UPLOAD,
  small: NO_UPLOAD,
  event: { redisUsPerReader: Number.NaN, bytesPerReader: Number.NaN, readerUs: Number.NaN },
  answer: { apiUs: Number.NaN, redisUs: Number.NaN },
  heldBytes: Number.NaN,
  connections: { api: Number.NaN, worker: Number.NaN },
};

/** Measures what uploads, events and held answers cost, for the estimates of `docs/scaling.md`. */
export const costs: Part = {
  name: 'costs',
  summary: 'what an upload, an event and a held answer cost, to estimate limits',
  async run(session) {
    const costs: Partial<Costs> = {};
    const report = () => reportCosts({ ...NOT_MEASURED, ...costs });
    onInterrupt(report);
    await withRedisMeter(session.redisUrl, (meter) => measure(session, meter, costs));
    return report();
  },
};

/** Adds the costs, group by group. */
async function measure(session: Session, meter: RedisMeter, costs: Partial<Costs>): Promise<void> {
  say('uploads');
  Object.assign(costs, await measureUploads(session, meter));
  say('events');
  const { event, redisUs } = await measureEvents(session, meter);
  Object.assign(costs, { event });
  say('held answers');
  Object.assign(costs, await measureAnswers(session, meter, redisUs));
}
