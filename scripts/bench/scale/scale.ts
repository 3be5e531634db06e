import { parseOptions, say, type Bench } from '../lib/bench.ts';
import { machineFacts } from '../lib/machine.ts';
import { withSession } from '../lib/session.ts';
import { SCALE_DEFAULTS, type Part } from './lib/part.ts';
import { stall } from './stall.ts';
import { throughput } from './throughput/throughput.ts';
import { unwanted } from './unwanted.ts';
import { processes } from './processes.ts';

const PARTS: readonly Part[] = [processes, unwanted, stall, throughput];

/** How it goes on with more processes. A first argument names the one part to run. */
export const scale: Bench = {
  name: 'scale',
  summary: `many processes, in parts: ${PARTS.map(({ name }) => name).join(', ')}; \`scale stall\` runs one of them alone`,
  defaults: SCALE_DEFAULTS,
  async run(args) {
    const [first, ...rest] = args;
    const isNamed = first !== undefined && !first.startsWith('--');
    const parts = isNamed ? PARTS.filter(({ name }) => name === first) : PARTS;
    if (parts.length === 0) throw new Error(`scale has these parts: ${PARTS.map(({ name }) => name).join(', ')}`);
    const options = parseOptions(isNamed ? rest : args, SCALE_DEFAULTS);
    console.log(await machineFacts());
    for (const part of parts) {
      say(`part ${part.name}`);
      await withSession(async (session) => console.log(`\n${await part.run(session, options)}`));
    }
  },
};
