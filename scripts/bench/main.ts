import { BENCHES } from './benches.ts';
import { COMMON_USAGE, say, type Bench } from './lib/bench.ts';
import { runBench } from './lib/run-bench.ts';

/** `npm run bench -- <name> [--number value …]`. A name such as `scale` runs all its parts, one after the other. */
async function main(args: readonly string[]): Promise<void> {
  const firstOption = args.findIndex((arg) => arg.startsWith('--'));
  const words = firstOption < 0 ? args : args.slice(0, firstOption);
  const wanted = words.join(' ');
  const benches = BENCHES.filter(({ name }) => name === wanted || name.startsWith(`${wanted} `));
  if (benches.length === 0) {
    say(`npm run bench -- <name> [options], where there are:\n\n${BENCHES.map(describe).join('\n\n')}`);
    say(`\nEach also takes: ${COMMON_USAGE}`);
    process.exitCode = wanted === '' ? 0 : 1;
  }
  for (const bench of benches) await runBench(bench, args.slice(words.length));
}

function describe({ name, summary, defaults }: Bench): string {
  const options = Object.entries(defaults).map(([option, value]) => `--${option} ${value}`);
  return `  ${name}  ${summary}\n        ${options.join(' ')}`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
