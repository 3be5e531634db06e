import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('the README', () => {
  /** The session needs curl, and one of its commands exists only on Linux. */
  const canRun = process.platform === 'linux' && spawnSync('curl', ['--version']).status === 0;

  let service: Service;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'du-readme-'));
    service = await sharedService();
    await writeFile(join(directory, 'photo.jpg'), await photo({ width: 800, height: 600 }));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Returns the code blocks of a section. */
  function commandsOf(section: string): string[] {
    const [, text = ''] = readFileSync('README.md', 'utf8').split(new RegExp(`^## ${section}$`, 'm'));
    const [own = ''] = text.split(/^## /m);
    return [...own.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands = '']) => commands);
  }

  /** Runs commands, and turns an error answer into an error. Each answer is on its own line. */
  async function run(commands: string, url = service.url): Promise<{ stdout: string; stderr: string }> {
    const quiet = 'curl() { command curl --silent --show-error --fail "$@" && echo; }';
    const here = commands.replaceAll('localhost:3000', new URL(url).host);
    return await promisify(execFile)('sh', ['-eu', '-c', `${quiet}\n${here}`], {
      cwd: directory,
      timeout: patienceMs(60_000),
    });
  }

  (canRun ? test : test.skip)('the session with curl in the README runs as it stands', async () => {
    const [commands = ''] = commandsOf('A session with curl');
    expect(commands.match(/^curl /gm)?.length).toBeGreaterThan(6);
    const { stdout, stderr } = await run(commands);
    const [first = '', ...more] = stdout.split('\n').filter((line) => line.startsWith('{'));
    expect(JSON.parse(first)).toMatchObject({ uploads: [{ state: 'completed', file: { name: 'photo.jpg' } }] });
    expect(JSON.parse(more.at(-1) ?? '')).toMatchObject({ state: 'completed', result: { width: 800, height: 600 } });
    expect(stdout).toContain('event: progress');
    expect(stderr).toBe('');
  });

  (canRun ? test : test.skip)('the commands of the section Access run as they stand', async () => {
    const [keys = '', requests = ''] = commandsOf('Access');
    const start = 'ACCESS_FILE=access.json npm start\n';
    expect(keys.endsWith(start)).toBe(true);
    await run(keys.replace(start, '').replaceAll('npm run -s key --', `node ${resolve('scripts/key.mjs')}`));
    const api = await service.addApi({ ACCESS_FILE: join(directory, 'access.json') });
    try {
      const { stdout, stderr } = await run(requests, api.url);
      const [sent = '', issued = ''] = stdout.split('\n').filter((line) => line.startsWith('{'));
      expect(JSON.parse(sent)).toMatchObject({ uploads: [{ tenant: 'acme', file: { name: 'photo.jpg' } }] });
      expect(JSON.parse(issued)).toEqual({ ticket: expect.any(String), expiresAt: expect.any(String) });
      expect(stderr).toBe('');
    } finally {
      await api.end();
    }
  });
});
