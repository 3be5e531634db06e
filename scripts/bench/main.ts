import { hold } from './hold/hold.ts';
import { COMMON_USAGE, say, type Bench } from './lib/bench.ts';
import { page } from './page/page.ts';
import { pictures } from './pictures/pictures.ts';
import { recovery } from './recovery/recovery.ts';
import { redisRecovery } from './recovery/redis-recovery.ts';
import { scale } from './scale/scale.ts';
import { stack } from './stack/stack.ts';
import { tables } from './tables/tables.ts';
import { tracing } from './tracing/tracing.ts';
import { upload } from './upload/upload.ts';
import { wake } from './wake/wake.ts';
import { webhooks } from './webhooks/webhooks.ts';

const BENCHES: readonly Bench[] = [
  wake,
  hold,
  upload,
  pictures,
  tables,
  webhooks,
  recovery,
  redisRecovery,
  page,
  scale,
  stack,
  tracing,
];

/** `npm run bench -- <name> [--number value …] [--profile <directory>]` */
async function main([name, ...args]: readonly string[]): Promise<void> {
  const bench = BENCHES.find((one) => one.name === name);
  if (bench === undefined) {
    say(`npm run bench -- <name> [options], where there are:\n\n${BENCHES.map(describe).join('\n\n')}`);
    process.exitCode = name === undefined ? 0 : 1;
    return;
  }
  await bench.run(args);
}

function describe({ name, summary, defaults }: Bench): string {
  const options = Object.entries(defaults).map(([option, value]) => `--${option} ${value}`);
  return `  ${name}  ${summary}\n        ${options.join(' ')}\n        ${COMMON_USAGE}`;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
