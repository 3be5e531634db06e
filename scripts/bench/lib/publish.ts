import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../setup/project-root.mjs';
import type { CommonOptions } from './bench.ts';

const DOCS = 'docs/benchmarks.md';

/** Prints the tables of a run. With `--write` they also replace the block of the benchmark in docs/benchmarks.md. */
export async function publish(
  name: string,
  { write, given }: Pick<CommonOptions, 'write' | 'given'>,
  tables: string,
): Promise<void> {
  console.log(tables);
  if (!write) return;
  const path = join(projectRoot, DOCS);
  const command = ['npm run bench --', name, given].filter((word) => word !== '').join(' ');
  await writeFile(path, replaceBlock(await readFile(path, 'utf8'), name, `$ ${command}\n\n${tables}`));
}

/**
 * Returns the page with the text as the block of a benchmark: a code block between `<!-- bench: name -->` and
 * `<!-- end -->`. Throws if the page has no such block.
 */
export function replaceBlock(page: string, name: string, text: string): string {
  const start = `<!-- bench: ${name} -->`;
  const from = page.indexOf(start);
  const to = page.indexOf('<!-- end -->', from);
  if (from < 0 || to < 0) throw new Error(`${DOCS} has no block for ${name}`);
  return `${page.slice(0, from + start.length)}\n\n\`\`\`\n${text.trim()}\n\`\`\`\n\n${page.slice(to)}`;
}
