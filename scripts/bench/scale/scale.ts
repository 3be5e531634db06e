import { parseOptions, say, type Bench } from '../lib/bench.ts';
import { machineFacts } from '../lib/machine.ts';
import { withSession } from '../lib/session.ts';
import { access } from './access.ts';
import { costs } from './costs/measure-costs.ts';
import { fairness } from './fairness/fairness.ts';
import { SCALE_DEFAULTS, SCALE_QUICK, type Part } from './lib/part.ts';
import { processes } from './processes.ts';
import { stall } from './stall.ts';
import { throughput } from './throughput/throughput.ts';
import { unwanted } from './unwanted.ts';

/** The parts that run if none is named. */
const USUAL_PARTS: readonly Part[] = [processes, unwanted, stall, throughput, fairness, access];
const PARTS: readonly Part[] = [...USUAL_PARTS, costs];
const NAMES = PARTS.map(({ name }) => name).join(', ');

/** Measures the service with many processes. The first argument may name one part to run. */
export const scale: Bench = {
  name: 'scale',
  summary: `many processes, in parts (${NAMES}); \`scale stall\` runs only one part`,
  defaults: SCALE_DEFAULTS,
  quick: SCALE_QUICK,
  async run(args) {
    const [first, ...rest] = args;
    const isNamed = first !== undefined && !first.startsWith('--');
    const options = parseOptions(isNamed ? rest : args, SCALE_DEFAULTS, SCALE_QUICK);
    const parts = isNamed ? PARTS.filter(({ name }) => name === first) : USUAL_PARTS;
    if (parts.length === 0) throw new Error(`scale has these parts: ${NAMES}`);
    console.log(await machineFacts());
    for (const part of parts) {
      say(`part ${part.name}`);
      await withSession(async (session) => console.log(`\n${await part.run(session, options)}`));
    }
  },
};
