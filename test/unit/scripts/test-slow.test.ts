import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { run } from '../../../scripts/setup/command.mjs';
import { fakeCommands, type FakeCommands } from '../../helpers/fake-commands.ts';

let commands: FakeCommands;

beforeEach(() => {
  commands = fakeCommands();
});
afterEach(() => {
  commands.remove();
});

async function testSlow(...args: readonly string[]) {
  return await run(process.execPath, ['scripts/test-slow.mjs', ...args]);
}

test('npm run test:slow runs npm test the requested number of times, with the arguments of jest', async () => {
  commands.add('npm', 'echo "npm $*"');
  const { code, output } = await testSlow('--runs', '2', '--loops', '1', '--', 'test/unit');
  expect(code).toBe(0);
  expect(output.match(/^npm test -- test\/unit$/gm)).toHaveLength(2);
  expect(output.match(/^run [12] of 2: green after \d+ s$/gm)).toHaveLength(2);
});

test('npm run test:slow ends with an exit code of its own at the first failed run', async () => {
  commands.add('npm', 'exit 3');
  const { code, output } = await testSlow('--runs', '3', '--loops', '0');
  expect(code).toBe(1);
  expect(output.match(/^run/gm)).toHaveLength(1);
  expect(output).toContain('run 1 of 3: red, exit code 3');
});

test('npm run test:slow names an invalid option', async () => {
  expect(await testSlow('--runs', '0')).toEqual({ code: 2, output: '--runs must be a whole number of at least 1\n' });
});
