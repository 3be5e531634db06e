import { expect, test } from '@jest/globals';
import { findOnPath, inheritedEnvironment, isExecutable, run } from '../../../scripts/setup/command.mjs';

test('run returns the exit code and both outputs', async () => {
  expect(await run('/bin/sh', ['-c', 'echo one; echo two >&2; exit 3'])).toEqual({ code: 3, output: 'one\ntwo\n' });
});

test('run calls the command by another name if asked to', async () => {
  expect(await run('/bin/sh', ['-c', 'echo "$0"'], { argv0: 'other' })).toEqual({ code: 0, output: 'other\n' });
});

test('run returns code 127 for a missing command, and 1 for a killed one', async () => {
  expect(await run('/nowhere/command', [])).toMatchObject({ code: 127 });
  expect(await run('/bin/sh', ['-c', 'kill -KILL $$'])).toMatchObject({ code: 1 });
});

test('findOnPath returns the first name that exists', () => {
  expect(findOnPath('no-such-command', 'sh')).toMatch(/\/sh$/);
  expect(findOnPath('no-such-command')).toBeUndefined();
});

test('isExecutable is false for directories and plain files', () => {
  expect(isExecutable('/bin/sh')).toBe(true);
  expect(isExecutable('/tmp')).toBe(false);
  expect(isExecutable('/etc/passwd')).toBe(false);
});

test('inheritedEnvironment lets the additions win', () => {
  const environment = inheritedEnvironment({ PATH: '/only', ADDED: 'yes' });
  expect(environment).toMatchObject({ PATH: '/only', ADDED: 'yes' });
  expect(Object.keys(environment).length).toBeGreaterThan(2);
});
