import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGES = ['client', 'filepond', 'other-clients', 'react', 'uppy'].map((name) => `docs/${name}.md`);
const TESTS = ['test/e2e', 'test/unit/scripts'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8')),
);

/** Returns the first line of each example of a page that a program can run. */
function firstLines(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```(?:js|jsx|ts|tsx|html|css)\n(.*)$/gm)].map(
    ([, line = '']) => line,
  );
}

/** Returns the file name in such a line. */
function nameIn(line: string): string | undefined {
  return /^(?:\/\/|<!--|\/\*) ([\w-]+\.\w+)/.exec(line)?.[1];
}

describe.each(PAGES)('%s', (page) => {
  test('has a file name in the first line of each example', () => {
    expect(firstLines(page).filter((line) => nameIn(line) === undefined)).toEqual([]);
    expect(firstLines(page).length).toBeGreaterThan(2);
  });

  test('has no example that no test runs', () => {
    const names = firstLines(page).map((line) => nameIn(line) ?? '');
    expect(names.filter((name) => !TESTS.some((text) => text.includes(`'${name}'`)))).toEqual([]);
  });
});
