import { stopOnSignals } from '../stop-on-signals.ts';
import type { Fleet } from './fleet/fleet.ts';
import { parseChaosOptions, USAGE, type ChaosOptions } from './options.ts';
import { formatPlan, formatReport } from './report.ts';
import { planOf, runChaos } from './run-chaos.ts';

const EXIT_CODE_INTERRUPTED = 130;
const EXIT_CODE_USAGE = 2;

/** `npm run chaos`. The report goes to standard output, progress to standard error. */
async function main(options: ChaosOptions): Promise<void> {
  let fleet: Fleet | undefined;
  const giveSignalsBack = stopOnSignals({
    async stop() {
      await fleet?.stop();
      process.exit(EXIT_CODE_INTERRUPTED);
    },
    kill: () => process.exit(EXIT_CODE_INTERRUPTED),
  });
  console.log(`${formatPlan(options, planOf(options).faults)}\n`);
  const outcome = await runChaos(options, {
    say: (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`),
    started: (begun) => void (fleet = begun),
  });
  giveSignalsBack();
  console.log(formatReport(outcome));
  process.exitCode = outcome.checks.every(({ findings }) => findings.length === 0) ? 0 : 1;
}

function optionsOrUsage(): ChaosOptions | undefined {
  try {
    return parseChaosOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exitCode = EXIT_CODE_USAGE;
    return undefined;
  }
}

const options = optionsOrUsage();
if (options !== undefined) await main(options);
