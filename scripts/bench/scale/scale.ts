import type { Bench } from '../lib/bench.ts';
import { withSession } from '../lib/session.ts';
import { access } from './access.ts';
import { costs } from './costs/measure-costs.ts';
import { fairness } from './fairness/fairness.ts';
import { SCALE_DEFAULTS, SCALE_QUICK } from './lib/part.ts';
import { processes } from './processes.ts';
import { stall } from './stall.ts';
import { throughput } from './throughput/throughput.ts';
import { unwanted } from './unwanted.ts';

const PARTS = [processes, unwanted, stall, throughput, fairness, access, costs];

/** The parts of the benchmark of the service with many processes. */
export const scale = PARTS.map((part): Bench<typeof SCALE_DEFAULTS> => ({
  name: `scale ${part.name}`,
  summary: part.summary,
  defaults: SCALE_DEFAULTS,
  quick: SCALE_QUICK,
  run: async (options) => await withSession(async (session) => await part.run(session, options)),
}));
