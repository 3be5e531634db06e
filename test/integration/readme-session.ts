import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import type { Service } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('the README', () => {
  /** The commands are curl's, and one of them Linux' own. */
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

  function session(): string {
    const [, commands = ''] =
      /^## A session with curl\n\n```sh\n([^]*?)^```$/m.exec(readFileSync('README.md', 'utf8')) ?? [];
    return commands.replaceAll('localhost:3000', new URL(service.url).host);
  }

  (canRun ? test : test.skip)('the session with curl in the README runs as it stands', async () => {
    const commands = session();
    expect(commands.match(/^curl /gm)?.length).toBeGreaterThan(6);
    // A function of this name turns a rejection into an error without changing the lines. Each answer is on its own
    // line.
    const quiet = 'curl() { command curl --silent --show-error --fail "$@" && echo; }';
    const { stdout, stderr } = await promisify(execFile)('sh', ['-eu', '-c', `${quiet}\n${commands}`], {
      cwd: directory,
      timeout: patienceMs(60_000),
    });
    const [first = '', ...more] = stdout.split('\n').filter((line) => line.startsWith('{'));
    expect(JSON.parse(first)).toMatchObject({ uploads: [{ state: 'completed', file: { name: 'photo.jpg' } }] });
    expect(JSON.parse(more.at(-1) ?? '')).toMatchObject({ state: 'completed', result: { width: 800, height: 600 } });
    expect(stdout).toContain('event: progress');
    expect(stderr).toBe('');
  });
});
