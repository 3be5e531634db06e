import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers, forgetPid, notePid } from '../../../scripts/leftovers.ts';

const GRACE_MS = 5000;

describe('endLeftovers', () => {
  let directory: string;
  let children: ChildProcess[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-leftovers-'));
    children = [];
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  async function start(script: string): Promise<{ pid: number; gone: Promise<unknown[]> }> {
    const child = spawn('/bin/sh', ['-c', `${script}; echo up; while :; do sleep 0.02; done`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    return { pid: child.pid ?? 0, gone: once(child, 'exit') };
  }

  test('asks a process to end, waits for it and removes its entry', async () => {
    const { pid, gone } = await start(`trap 'exit 7' TERM`);
    notePid(directory, 'redis', pid, false);
    expect(await endLeftovers(directory, GRACE_MS)).toBe(1);
    expect(await gone).toEqual([7, null]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('gives a process time to end itself before it ends the others', async () => {
    const redis = await start(`trap 'exit 7' TERM`);
    const api = await start(`(sleep 0.2; kill -KILL $$) & trap 'exit 8' TERM`);
    notePid(directory, 'redis', redis.pid, false);
    notePid(directory, 'api', api.pid, true);
    const order: string[] = [];
    void redis.gone.then(() => order.push('redis'));
    void api.gone.then(() => order.push('api'));
    expect(await endLeftovers(directory, GRACE_MS)).toBe(2);
    expect(await api.gone).toEqual([null, 'SIGKILL']);
    await redis.gone;
    expect(order).toEqual(['api', 'redis']);
  });

  test('kills a process that does not end within the grace period', async () => {
    const { pid, gone } = await start(`trap '' TERM`);
    notePid(directory, 'api', pid, true);
    expect(await endLeftovers(directory, 50)).toBe(1);
    expect(await gone).toEqual([null, 'SIGKILL']);
  });

  test('does not touch another process with the same pid', async () => {
    const { pid, gone } = await start(':');
    notePid(directory, 'redis', pid, false);
    const file = join(directory, 'redis.pid');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/(\d)"/, (_, digit: string) => `${(Number(digit) + 1) % 10}"`),
    );
    expect(await endLeftovers(directory, GRACE_MS)).toBe(0);
    process.kill(pid, 'SIGUSR1');
    expect(await gone).toEqual([null, 'SIGUSR1']);
  });

  test.each(['', '{"pid":', '{"pid":-1,"identity":"x"}', '{"pid":1}', 'null'])(
    'ignores the invalid list %j',
    async (text) => {
      writeFileSync(join(directory, 'redis.pid'), text);
      expect(await endLeftovers(directory, GRACE_MS)).toBe(0);
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  test('does nothing if no process was noted, or its entry was removed', async () => {
    expect(await endLeftovers(join(directory, 'missing'), GRACE_MS)).toBe(0);
    notePid(directory, 'redis', process.pid, false);
    forgetPid(directory, 'redis');
    expect(await endLeftovers(directory, GRACE_MS)).toBe(0);
  });
});
