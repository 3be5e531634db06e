import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addToAccessFile, isTenantName, newApiKey, newTicketKey } from '../../../scripts/access-keys.mjs';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-key-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

function runKey(...given: string[]) {
  return runKeyOf('key', ...given);
}

/** @param script the npm script that runs it; empty for `npx deferred-uploads key`. */
function runKeyOf(script: string, ...given: string[]) {
  const env = { ...process.env, npm_lifecycle_event: script };
  return spawnSync(process.execPath, ['scripts/key.mjs', ...given], { encoding: 'utf8', cwd: process.cwd(), env });
}

describe('a new API key', () => {
  test('has the form of the contract, and its line has only its SHA-256', () => {
    const { key, line } = newApiKey('acme');
    expect(key).toMatch(/^du_acme_[A-Za-z0-9_-]{43}$/);
    expect(line).toEqual({ id: expect.stringMatching(/^k[0-9a-f]{8}$/), sha256: sha256(key) });
    expect(newApiKey('acme').key).not.toBe(key);
  });

  test('may belong to a tenant of 1 to 64 of a-z, 0-9 and -', () => {
    expect(['acme', 'a', '4-you', 'x'.repeat(64)].map(isTenantName)).toEqual([true, true, true, true]);
    expect([undefined, '', 'Acme', 'a_b', 'x'.repeat(65)].map(isTenantName)).toEqual(Array(5).fill(false));
  });
});

test('a new ticket key has a secret of 32 bytes and names its tenant in its kid', () => {
  const { kid, alg, secret } = newTicketKey('acme');
  expect([kid, alg]).toEqual([expect.stringMatching(/^acme-[0-9a-f]{8}$/), 'HS256']);
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
});

describe('the access file', () => {
  test('is created for its owner only, with the tenant and the line', async () => {
    const path = join(directory, 'new.json');
    const { line } = newApiKey('constructor');
    addToAccessFile(path, 'constructor', 'keys', line);
    expect(await readJson(path)).toEqual({ tenants: { constructor: { keys: [line] } } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('keeps everything else that it has', async () => {
    const path = join(directory, 'old.json');
    const acme = { keys: [{ id: 'k1', sha256: 'ab' }], limits: { waiting: 5 } };
    await writeFile(path, JSON.stringify({ tenants: { acme, other: { weight: 2 } } }));
    const { line } = newApiKey('acme');
    addToAccessFile(path, 'acme', 'keys', line);
    expect(await readJson(path)).toEqual({
      tenants: { acme: { ...acme, keys: [...acme.keys, line] }, other: { weight: 2 } },
    });
  });
});

describe('npm run key', () => {
  test('prints the key and its line, and says on standard error where the line belongs', () => {
    const { stdout, stderr, status } = runKey('acme');
    const [key = '', line = ''] = stdout.split('\n');
    expect(status).toBe(0);
    expect(JSON.parse(line)).toEqual({ id: expect.any(String), sha256: sha256(key) });
    expect(stderr).toContain('tenants.acme.keys');
  });

  test('prints the line of a ticket key, and adds it to a file', async () => {
    const path = join(directory, 'tickets.json');
    const { stdout } = runKey('acme', '--ticket', '--file', path);
    expect(await readJson(path)).toEqual({ tenants: { acme: { tickets: [JSON.parse(stdout)] } } });
  });

  test('prints the usage of the installed package if no npm script runs it', () => {
    expect(runKeyOf('').stderr).toMatch(/^usage: npx deferred-uploads key <tenant>/);
  });

  test.each([[[]], [['Acme']], [['acme', 'more']], [['acme', '--bogus']]])('prints its usage for %j', (given) => {
    const { stdout, stderr, status } = runKey(...given);
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toMatch(/^usage: npm run key -- <tenant>/);
  });

  test('prints one line for a file that is not JSON, and no key', async () => {
    const path = join(directory, 'broken.json');
    await writeFile(path, '{');
    const { stdout, stderr, status } = runKey('acme', '--file', path);
    expect([stdout, status, stderr.trimEnd().split('\n')]).toEqual(['', 1, [expect.stringContaining(path)]]);
  });
});
