import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../scripts/setup/command.mjs';
import { tryLock, withLock } from '../../../scripts/setup/lock.mjs';

describe('a lock', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-lock-'));
    file = join(directory, 'below', 'lock');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function take(): { release: () => void } {
    const lock = tryLock(file);
    if (!('release' in lock)) throw new Error(`held by ${lock.holderPid}`);
    return lock;
  }

  test('is held until it is released, and leaves no file', () => {
    const lock = take();
    expect(tryLock(file)).toEqual({ holderPid: process.pid });
    lock.release();
    take().release();
    expect(readdirSync(join(directory, 'below'))).toEqual([]);
  });

  test('is free if its holder has died', async () => {
    const url = new URL('../../../scripts/setup/lock.mjs', import.meta.url).href;
    const holder = `import { tryLock } from ${JSON.stringify(url)}; tryLock(${JSON.stringify(file)});`;
    expect(await run(process.execPath, ['--input-type=module', '-e', holder])).toMatchObject({ code: 0 });
    expect(existsSync(file)).toBe(true);
    take().release();
  });

  test('is free if the pid of its holder belongs to another process now', () => {
    const lock = take();
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\d+ /, '1 '));
    expect('release' in tryLock(file)).toBe(true);
    lock.release();
    expect(existsSync(file)).toBe(true);
  });

  test('is taken by only one process if two clear a dead lock at the same time', async () => {
    const url = new URL('../../../scripts/setup/lock.mjs', import.meta.url).href;
    const script = `
      import { appendFileSync } from 'node:fs';
      import { withLock } from ${JSON.stringify(url)};
      const note = (what) => appendFileSync(${JSON.stringify(join(directory, 'notes'))}, what + '\\n');
      await withLock(${JSON.stringify(file)}, () => {}, async () => { note('in'); await new Promise((r) => setTimeout(r, 30)); note('out'); });`;
    take().release();
    writeFileSync(file, '4194305:boot:1 dead');
    await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, ['--input-type=module', '-e', script])));
    expect(readFileSync(join(directory, 'notes'), 'utf8')).toBe('in\nout\n'.repeat(3));
  });

  test('is waited for, and released if the work fails', async () => {
    const first = take();
    const waits: number[] = [];
    const onWait = (pid: number): void => {
      waits.push(pid);
      first.release();
    };
    const work = async (): Promise<never> => Promise.reject(new Error('no good'));
    await expect(withLock(file, onWait, work)).rejects.toThrow('no good');
    expect(waits).toEqual([process.pid]);
    take().release();
  });
});
