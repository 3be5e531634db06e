import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BENCHES } from '../../../../scripts/bench/benches.ts';
import { onInterrupt, printSoFar, type Bench } from '../../../../scripts/bench/lib/bench.ts';
import { PAGE, replaceSection, runBench, sectionsOf } from '../../../../scripts/bench/lib/run-bench.ts';

const FIRST = '<!-- bench: wake -->\n\nold\n\n<!-- end -->\n';
const SECOND = '<!-- bench: scale stall -->\n<!-- end -->\n';
const TEXT = `before\n\n${FIRST}\nbetween\n\n${SECOND}after\n`;

let page: string;
let printed: string[];

beforeEach(async () => {
  page = join(await mkdtemp(join(tmpdir(), 'bench-page-')), 'page.md');
  await writeFile(page, TEXT);
  printed = [];
  jest.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(join(page, '..'), { recursive: true });
});

function bench(run: Bench['run'] = async ({ rounds }) => `${rounds ?? 0} rounds: 1 µs`): Bench {
  return { name: 'wake', summary: 'a fake', defaults: { rounds: 7 }, quick: { rounds: 1 }, run };
}

async function runWith(args: readonly string[], one = bench()): Promise<void> {
  await runBench(one, args, { page, facts: async () => 'machine   two cores' });
}

describe('a benchmark', () => {
  test('has a section in docs/benchmarks.md, and each section there has a benchmark', async () => {
    const names = BENCHES.map(({ name }) => name);
    expect(sectionsOf(await readFile(PAGE, 'utf8')).sort()).toEqual(names.sort());
  });

  test('replaces only its own section, with the command, the machine and the tables that it prints', async () => {
    await runWith(['--rounds', '5', '--write']);
    const section = '$ npm run bench -- wake --rounds 5\n\nmachine   two cores\n\n5 rounds: 1 µs';
    expect(printed.join('\n')).toBe(section);
    expect(await readFile(page, 'utf8')).toBe(TEXT.replace('\n\nold\n\n', `\n\n\`\`\`\n${section}\n\`\`\`\n\n`));
  });

  test('does not write without --write', async () => {
    await runWith([]);
    expect(printed.at(-1)).toContain('7 rounds');
    expect(await readFile(page, 'utf8')).toBe(TEXT);
  });

  test('does not write figures of --quick', async () => {
    await runWith(['--quick']);
    expect(printed.at(-1)).toContain('1 rounds');
    await expect(runWith(['--quick', '--write'])).rejects.toThrow('leave out --quick or --write');
    expect(await readFile(page, 'utf8')).toBe(TEXT);
  });

  test('prints its figures when it is interrupted, and does not write them', async () => {
    const running = bench(async () => {
      onInterrupt(() => '- µs');
      return await new Promise<never>(() => undefined);
    });
    void runWith(['--write'], running);
    await setImmediate();
    printSoFar();
    expect(printed.at(-1)).toMatch(/^not complete; the figures so far.*\n\n- µs$/);
    expect(await readFile(page, 'utf8')).toBe(TEXT);
  });

  test('prints its figures when it fails, and does not write them', async () => {
    const failing = bench(async () => {
      onInterrupt(() => '- µs');
      throw new Error('not ready in time');
    });
    await expect(runWith(['--write'], failing)).rejects.toThrow('not ready in time');
    expect(printed.at(-1)).toContain('- µs');
    expect(await readFile(page, 'utf8')).toBe(TEXT);
  });
});

describe('a section of a benchmark', () => {
  test('may be empty before it is replaced', () => {
    const filled = '<!-- bench: scale stall -->\n\n```\nx\n```\n\n<!-- end -->\nafter\n';
    expect(replaceSection(TEXT, 'scale stall', 'x')).toContain(filled);
  });

  test('must be on the page', () => {
    expect(() => replaceSection(TEXT, 'stack', 'x')).toThrow('docs/benchmarks.md has no section for stack');
  });
});
