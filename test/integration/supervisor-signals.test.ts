import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from '../../scripts/setup/process-identity.mjs';
import { eventually } from '../helpers/eventually.ts';
import { readEventLog, startedPid, type EventLog } from '../helpers/fake-child.ts';
import { runScript, type ScriptProcess } from '../helpers/script-process.ts';

describe('a supervisor that gets a signal', () => {
  let directory: string;
  let eventLog: EventLog;
  let running: ScriptProcess | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-signals-'));
    eventLog = { file: join(directory, 'eventLog') };
  });

  afterEach(async () => {
    running?.signal('SIGKILL');
    await running?.ended;
    rmSync(directory, { recursive: true });
  });

  async function start(...names: string[]): Promise<ScriptProcess> {
    running = runScript('test/helpers/supervisor-process.ts', [eventLog.file, ...names], { cwd: directory });
    await running.printed('started');
    return running;
  }

  const signalledTo = (name: string) => () => readEventLog(eventLog).includes(`${name} signalled`);
  const isGone = (name: string) => () => processIdentity(startedPid(eventLog, name) ?? 0) === undefined;

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops in order with code 0 on %s', async (name) => {
    const supervisor = await start('api', 'worker');
    supervisor.signal(name);
    expect(await supervisor.ended).toBe(0);
    expect(readEventLog(eventLog).slice(-2)).toEqual(['api stopped', 'worker stopped']);
  });

  test('kills all children with code 130 at a second signal more than a second after the first', async () => {
    const supervisor = await start('stubborn');
    supervisor.signal('SIGINT');
    await eventually('the child to get the signal', signalledTo('stubborn'));
    await eventually('the child to be gone', () => {
      // A signal that arrives while the supervisor exits would replace its exit code.
      if (isGone('stubborn')()) return true;
      supervisor.signal('SIGINT');
      return false;
    });
    expect(await supervisor.ended).toBe(130);
    expect(readEventLog(eventLog).filter((line) => line === 'stubborn signalled')).toHaveLength(1);
  });

  test('leaves no orphan when it is killed', async () => {
    const supervisor = await start('api', 'worker');
    supervisor.signal('SIGKILL');
    expect(await supervisor.ended).toBeNull();
    await eventually('both children to be gone', () => isGone('api')() && isGone('worker')());
    expect(readEventLog(eventLog).slice(-2).sort()).toEqual(['api orphaned', 'worker orphaned']);
  });
});
