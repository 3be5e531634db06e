import { expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDotEnv } from '../../../scripts/setup/dot-env.mjs';

test('the set-up reads all settings of a .env that begins with a byte order mark, and the environment wins', () => {
  const directory = mkdtempSync(join(tmpdir(), 'du-env-'));
  const environment: Record<string, string | undefined> = { E2E: '1' };
  loadDotEnv(join(directory, '.env'), environment);
  writeFileSync(join(directory, '.env'), '\uFEFFREDIS_URL=redis://h\nE2E=0\n');
  loadDotEnv(join(directory, '.env'), environment);
  expect(environment).toEqual({ REDIS_URL: 'redis://h', E2E: '1' });
  rmSync(directory, { recursive: true });
});
