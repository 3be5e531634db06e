import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startAccess, type Access } from '../../../src/access/access.ts';
import { ConfigError } from '../../../src/settings/config.ts';
import { keyEntry, newApiKey, newSecret } from '../../helpers/access-file.ts';
import { eventually } from '../../helpers/eventually.ts';

let directory: string;
let path: string;
let access: Access | undefined;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-access-'));
  path = join(directory, 'access.json');
  lines = [];
});

afterEach(async () => {
  access?.close();
  access = undefined;
  await rm(directory, { recursive: true });
});

const log = pino(
  { formatters: { level: (label) => ({ level: label }) } },
  { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
);

function fileOf(...tenants: string[]): string {
  return JSON.stringify({ tenants: Object.fromEntries(tenants.map((name) => [name, {}])) });
}

async function start(text = fileOf('acme')): Promise<Access> {
  await writeFile(path, text);
  access = await startAccess({ access: 'keys', accessFile: path }, { log });
  return access;
}

function names({ tenants }: Access): string[] {
  return [...(tenants?.all ?? [])].map(({ name }) => name);
}

describe('the access of a process', () => {
  test('is open without a file', async () => {
    expect(await startAccess({ access: 'open', accessFile: undefined }, { log })).toMatchObject({ mode: 'open' });
  });

  test('has the tenants of the file', async () => {
    expect(names(await start())).toEqual(['acme']);
  });

  test.each([
    ['written in place', () => writeFile(path, fileOf('other'))],
    [
      'replaced by a rename',
      async () => {
        await writeFile(`${path}.new`, fileOf('other'));
        await rename(`${path}.new`, path);
      },
    ],
  ])('follows a file that is %s', async (_, change) => {
    const running = await start();
    await change();
    await eventually('the new tenants', () => names(running).join() === 'other');
  });

  test('follows a folder that is replaced by a link, as Kubernetes does', async () => {
    for (const name of ['first', 'second']) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'access.json'), fileOf(name));
    }
    await symlink('first', join(directory, 'current'));
    path = join(directory, 'current', 'access.json');
    access = await startAccess({ access: 'keys', accessFile: path }, { log });
    await symlink('second', join(directory, 'next'));
    await rename(join(directory, 'next'), join(directory, 'current'));
    const running = access;
    await eventually('the new tenants', () => names(running).join() === 'second');
  });

  test('rejects an API key after its entry was removed', async () => {
    const key = newApiKey('acme');
    const running = await start(JSON.stringify({ tenants: { acme: { keys: [keyEntry('k1', key)] } } }));
    expect(running.tenants?.findApiKey(key)?.keyId).toBe('k1');
    await writeFile(path, fileOf('acme'));
    await eventually('the end of the key', () => running.tenants?.findApiKey(key) === undefined);
  });

  test('loads the file on SIGHUP', async () => {
    const running = await start();
    process.emit('SIGHUP');
    await eventually('the line in the log', () => lines.length > 0);
    expect(lines).toEqual([expect.objectContaining({ level: 'info', msg: 'access file loaded', tenants: 1 })]);
    expect(names(running)).toEqual(['acme']);
  });

  test('keeps the previous file and logs one line without secrets if the new one has a mistake', async () => {
    const running = await start();
    const secret = newSecret();
    await writeFile(path, `{"tenants":{"acme":{"tickets":[{"kid":"a","alg":"HS256","secret":"${secret}" x}]}}}`);
    await eventually('the line in the log', () => lines.length > 0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'error',
      reason: expect.stringMatching(/^is not JSON at line 1, column \d+$/),
    });
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(names(running)).toEqual(['acme']);
    await writeFile(path, fileOf('fixed'));
    await eventually('the new tenants', () => names(running).join() === 'fixed');
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info']);
  });

  test('keeps the previous file if the file is removed', async () => {
    const running = await start();
    await rm(path);
    await eventually('the line in the log', () => lines.length > 0);
    expect(lines[0]).toMatchObject({ reason: 'cannot be read (ENOENT)' });
    expect(names(running)).toEqual(['acme']);
  });

  test.each([
    ['is missing', undefined, 'wrong settings: ACCESS_FILE cannot be read (ENOENT)'],
    ['has a mistake', '{"tenants":{"a":{"keys":1}}}', 'wrong settings: ACCESS_FILE tenants.a.keys '],
  ])('stops the start if the file %s', async (_, text, message) => {
    if (text !== undefined) await writeFile(path, text);
    const started = startAccess({ access: 'keys', accessFile: path }, { log });
    await expect(started).rejects.toThrow(ConfigError);
    await expect(started).rejects.toThrow(message);
  });
});
