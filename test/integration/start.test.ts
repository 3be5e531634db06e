import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock } from '../../scripts/setup/lock.mjs';
import { runScript } from '../helpers/script-process.ts';

describe('npm start', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-start-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  test('refuses a directory in which another one runs, in one line', async () => {
    const lock = tryLock(join(directory, 'data', 'run', 'lock'));
    if (!('release' in lock)) throw new Error('a fresh directory is locked');
    const second = runScript('scripts/start.ts', [], { cwd: directory, env: { REDIS_URL: '' } });
    expect(await second.ended).toBe(1);
    expect(second.stderr).toBe(`already running in this directory, as process ${process.pid}\n`);
    expect(second.stdout).toBe('');
    lock.release();
  });

  test('runs everything, and ends all of it in order at SIGTERM', async () => {
    const started = runScript('scripts/start.ts', [], {
      cwd: directory,
      env: { REDIS_URL: '', PORT: '0', WORKERS: '1' },
    });
    await started.printed('"msg":"started"');
    const [, url = ''] = /"msg":"started","url":"([^"]+)"/.exec(started.stdout) ?? [];
    expect(await (await fetch(`${url}/`)).text()).toContain('<script');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    started.signal('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(started.stdout).not.toContain('will be restarted');
  });

  test('names a wrong setting in one line and exits with 78', async () => {
    const started = runScript('scripts/start.ts', [], { cwd: directory, env: { PORT: 'http' } });
    expect(await started.ended).toBe(78);
    expect(started.stderr).toMatch(/^wrong settings: PORT .+\n$/);
    expect(started.stdout).toBe('');
  });
});
