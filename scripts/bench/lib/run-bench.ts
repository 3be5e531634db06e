import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../setup/project-root.mjs';
import { onInterrupt, parseOptions, printSoFar, type Bench } from './bench.ts';
import { machineFacts } from './machine.ts';

/** The page with a section for each benchmark. */
export const PAGE = join(projectRoot, 'docs', 'benchmarks.md');

/**
 * Runs a benchmark and prints the command, the machine and the tables. With `--write` the same text replaces the
 * section of the benchmark on the page. A run that fails or is interrupted prints its figures so far, and does not
 * write them.
 */
export async function runBench(
  bench: Bench,
  args: readonly string[],
  { page = PAGE, facts = machineFacts }: { page?: string; facts?: () => Promise<string> } = {},
): Promise<void> {
  const options = parseOptions(args, bench.defaults, bench.quick);
  const given = args.filter((arg) => arg !== '--write');
  const heading = `$ ${['npm run bench --', bench.name, ...given].join(' ')}\n\n${await facts()}`;
  console.log(heading);
  const tables = await bench.run(options).catch((error: unknown) => {
    printSoFar();
    throw error;
  });
  onInterrupt(undefined);
  console.log(`\n${tables}`);
  if (!options.write) return;
  await writeFile(page, replaceSection(await readFile(page, 'utf8'), bench.name, `${heading}\n\n${tables}`));
}

/** Returns the names of the benchmarks that have a section on the page. */
export function sectionsOf(page: string): string[] {
  return [...page.matchAll(/^<!-- bench: (.*) -->$/gm)].map(([, name = '']) => name);
}

/**
 * Returns the page with the text as the section of a benchmark: a code block between `<!-- bench: name -->` and
 * `<!-- end -->`. Throws if the page has no such section.
 */
export function replaceSection(page: string, name: string, text: string): string {
  const start = `<!-- bench: ${name} -->`;
  const from = page.indexOf(start);
  const to = page.indexOf('<!-- end -->', from);
  if (from < 0 || to < 0) throw new Error(`docs/benchmarks.md has no section for ${name}`);
  const lines = text.trim().replace(/ +$/gm, '');
  return `${page.slice(0, from + start.length)}\n\n\`\`\`\n${lines}\n\`\`\`\n\n${page.slice(to)}`;
}
