import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { processIdentity } from '../../../scripts/setup/process-identity.mjs';

describe('processIdentity', () => {
  test('stays the same while the process lives, and contains no white space', () => {
    const identity = processIdentity(process.pid);
    expect(identity).toMatch(new RegExp(`^${process.pid}:\\S+$`));
    expect(processIdentity(process.pid)).toBe(identity);
  });

  test('differs between processes and is undefined for a process that has ended', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    expect(processIdentity(pid)).toMatch(new RegExp(`^${pid}:`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(processIdentity(pid)).toBeUndefined();
  });
});
