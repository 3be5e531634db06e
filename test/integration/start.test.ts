import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tryLock } from '../../scripts/setup/lock.mjs';
import { compiled } from '../helpers/compiled.ts';
import { runScript } from '../helpers/script-process.ts';

describe('npm start', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-start-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  test('in a directory where another one runs ends with one line', async () => {
    const lock = tryLock(join(directory, 'data', 'run', 'lock'));
    if (!('release' in lock)) throw new Error('a fresh directory is locked');
    const second = runScript('scripts/start.ts', [], { cwd: directory, env: { REDIS_URL: '' } });
    expect(await second.ended).toBe(1);
    expect(second.stderr).toBe(`already running in this directory, as process ${process.pid}\n`);
    expect(second.stdout).toBe('');
    lock.release();
  });

  test('starts all processes, and stops them in order at SIGTERM', async () => {
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
    const warnings = started.stdout.match(/"msg":"running as root"/g) ?? [];
    expect(warnings.length).toBe(process.getuid?.() === 0 ? 1 : 0);
  });

  (process.platform === 'linux' ? test : test.skip)(
    'ends with 78 and one line if ./data cannot be written',
    async () => {
      // Root can write everywhere except in the kernel's own file systems.
      symlinkSync('/sys', join(directory, 'data'));
      const started = runScript('scripts/start.ts', [], { cwd: directory, env: { REDIS_URL: '' } });
      expect(await started.ended).toBe(78);
      expect(started.stderr).toMatch(/^data\/run cannot be written by this user; .+\n$/);
    },
  );

  describe('without packages', () => {
    let installation: string;

    beforeAll(() => {
      installation = mkdtempSync(join(tmpdir(), 'du-start-'));
      for (const folder of ['src', 'workers', 'scripts', 'bundled'])
        cpSync(compiled(folder), join(installation, folder), { recursive: true });
      writeFileSync(join(installation, 'package.json'), '{ "type": "module" }');
    });

    afterAll(() => rmSync(installation, { recursive: true }));

    test.each(['scripts/start.js', 'src/server/main.js', 'workers/main.js'])(
      '%s ends with 78 and one line if a package is missing',
      async (entry) => {
        const cwd = directory;
        const started = promisify(execFile)(process.execPath, [join(installation, entry)], { cwd });
        await expect(started).rejects.toMatchObject({
          code: 78,
          stderr: expect.stringMatching(/^deferred-uploads: the installation is broken, run npm ci: Cannot find .+\n$/),
        });
      },
    );
  });

  test.each(['src/server/main.ts', 'workers/main.ts'])(
    '%s ends with 78 and one line if the access file has a mistake',
    async (entry) => {
      writeFileSync(join(directory, 'access.json'), '{"tenants":{"acme":{"weight":0}}}');
      const started = runScript(entry, [], { cwd: directory, env: { ACCESS_FILE: 'access.json' } });
      expect(await started.ended).toBe(78);
      expect(started.stderr).toBe(
        'deferred-uploads: wrong settings: ACCESS_FILE tenants.acme.weight must be at least 0.01\n',
      );
    },
  );

  test.each([
    ['scripts/start.ts', ''],
    ['src/server/main.ts', 'deferred-uploads: '],
    ['workers/main.ts', 'deferred-uploads: '],
  ])('%s reads the first setting of a .env that begins with a byte order mark', async (entry, start) => {
    writeFileSync(join(directory, '.env'), '\uFEFFLOG_LEVEL=loud\n');
    const started = runScript(entry, [], { cwd: directory });
    expect(await started.ended).toBe(78);
    expect(started.stderr).toMatch(new RegExp(`^${start}wrong settings: LOG_LEVEL .+\n$`));
  });

  test('names a processor that cannot be used in one line and exits with 78', async () => {
    const manifest = { name: 'pdf', types: ['application/pdf'], command: ['./pdf.sh'] };
    writeFileSync(join(directory, 'pdf.json'), JSON.stringify(manifest));
    const started = runScript('scripts/start.ts', [], { cwd: directory, env: { PROCESSORS: './pdf.json' } });
    expect(await started.ended).toBe(78);
    expect([started.stdout, started.stderr]).toEqual([
      '',
      'PROCESSORS: ./pdf.json: the program ./pdf.sh does not exist or is not executable\n',
    ]);
  });

  test('names a wrong setting in one line and exits with 78', async () => {
    const started = runScript('scripts/start.ts', [], { cwd: directory, env: { PORT: 'http' } });
    expect(await started.ended).toBe(78);
    expect(started.stderr).toMatch(/^wrong settings: PORT .+\n$/);
    expect(started.stdout).toBe('');
  });
});
