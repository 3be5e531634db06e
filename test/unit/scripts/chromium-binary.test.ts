import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findChromium } from '../../../scripts/setup/chromium-binary.mjs';
import { fakeCommands, type FakeCommands } from '../../helpers/fake-commands.ts';

const chosen = process.env['CHROMIUM_PATH'];
let commands: FakeCommands;

beforeEach(() => {
  commands = fakeCommands();
  // Browsers of this machine must not be found.
  process.env['PATH'] = commands.directory;
  delete process.env['CHROMIUM_PATH'];
});

afterEach(() => {
  commands.remove();
  if (chosen === undefined) delete process.env['CHROMIUM_PATH'];
  else process.env['CHROMIUM_PATH'] = chosen;
});

test('CHROMIUM_PATH comes before PATH', async () => {
  commands.add('chromium', 'echo Chromium 1');
  const other = commands.add('other-browser', 'echo Chromium 2');
  process.env['CHROMIUM_PATH'] = other;
  expect(await findChromium()).toBe(other);
});

test('a CHROMIUM_PATH that does not run is an error, even if PATH has a browser', async () => {
  commands.add('chromium', 'echo Chromium 1');
  process.env['CHROMIUM_PATH'] = '/nowhere/chromium';
  await expect(findChromium()).rejects.toThrow('CHROMIUM_PATH does not name a Chromium that runs: /nowhere/chromium');
});

test('the first browser on PATH is used', async () => {
  const chromium = commands.add('chromium', 'echo Chromium 1');
  commands.add('google-chrome', 'echo Google Chrome 1');
  expect(await findChromium()).toBe(chromium);
});

test('the browser without user interface is used, if there is one', async () => {
  commands.add('chromium', 'echo Chromium 1');
  const shell = commands.add('chromium-headless-shell', 'echo Chromium 1');
  expect(await findChromium()).toBe(shell);
});

test('a stub on PATH that only advises an installation is skipped', async () => {
  for (const name of ['chromium', 'chromium-browser']) commands.add(name, 'echo "please install the snap" >&2; exit 1');
  const chrome = commands.add('google-chrome', 'echo Google Chrome 1');
  expect(await findChromium()).toBe(chrome);
});
