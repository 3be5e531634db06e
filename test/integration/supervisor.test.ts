import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildSpec } from '../../scripts/child-life.ts';
import { processIdentity } from '../../scripts/setup/process-identity.mjs';
import { Supervisor, type SupervisorOptions } from '../../scripts/supervisor.ts';
import { eventually } from '../helpers/eventually.ts';
import { fakeChild, readEventLog, startedPid, type EventLog } from '../helpers/fake-child.ts';

describe('Supervisor', () => {
  let directory: string;
  let eventLog: EventLog;
  let supervisor: Supervisor | undefined;
  let logged: [fields: object, message: string][];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-supervisor-'));
    eventLog = { file: join(directory, 'eventLog') };
    logged = [];
  });

  afterEach(async () => {
    supervisor?.kill();
    await supervisor?.finished;
    rmSync(directory, { recursive: true });
  });

  function supervise(children: readonly ChildSpec[], options: Partial<SupervisorOptions> = {}): Supervisor {
    const note = (fields: object, message: string): void => void logged.push([fields, message]);
    supervisor = new Supervisor({ foundation: [], children, log: { warn: note, error: note }, ...options });
    return supervisor;
  }

  function pidOf(name: string): number {
    const pid = startedPid(eventLog, name);
    if (pid === undefined) throw new Error(`${name} has not started`);
    return pid;
  }

  const isGone = (pid: number) => () => processIdentity(pid) === undefined;

  test('starts the foundation first and forwards the output of the children', async () => {
    const ready: string[] = [];
    const options = {
      foundation: [fakeChild(eventLog, 'base')],
      onReady: (name: string, message: unknown) => void ready.push(`${name} ${JSON.stringify(message)}`),
    };
    expect(await supervise([fakeChild(eventLog, 'api')], options).start()).toBe(true);
    expect(readEventLog(eventLog).map((line) => line.split(' ')[0])).toEqual(['base', 'api']);
    expect(ready).toEqual(['base {"type":"ready","name":"base"}', 'api {"type":"ready","name":"api"}']);
  });

  test('starts the reserve when it is asked to, and stops it with its role', async () => {
    const role = { role: 'worker' };
    const children = [fakeChild(eventLog, 'api'), fakeChild(eventLog, 'w1', role)];
    const running = supervise(children, { reserve: [fakeChild(eventLog, 'w2', role)] });
    await running.start();
    expect(startedPid(eventLog, 'w2')).toBeUndefined();
    running.startReserve();
    running.startReserve();
    await eventually('the reserve to start', () => startedPid(eventLog, 'w2') !== undefined);
    await running.stop();
    const lines = readEventLog(eventLog);
    expect(lines.filter((line) => line.startsWith('w2 started'))).toHaveLength(1);
    expect(lines.slice(-3)[0]).toBe('api stopped');
    expect(lines.slice(-2).sort()).toEqual(['w1 stopped', 'w2 stopped']);
  });

  test('stops in the order of the list, children of one role together, the foundation last', async () => {
    // Each waits for the other.
    const signalled = `require('node:fs').readFileSync(process.env.EVENT_LOG, 'utf8').match(/signalled/g).length`;
    const worker = {
      role: 'worker',
      onTerm: `write('signalled'); setInterval(() => { if (${signalled} === 2) { write('stopped'); process.exit(); } }, 5)`,
    };
    const children = [fakeChild(eventLog, 'api'), fakeChild(eventLog, 'w1', worker), fakeChild(eventLog, 'w2', worker)];
    const running = supervise(children, { foundation: [fakeChild(eventLog, 'base')] });
    await running.start();
    await running.stop();
    expect(await running.finished).toBe(0);
    const lines = readEventLog(eventLog).filter((line) => !line.includes('started'));
    expect(lines[0]).toBe('api stopped');
    expect(lines.slice(1, 3).sort()).toEqual(['w1 signalled', 'w2 signalled']);
    expect(lines.slice(3, 5).sort()).toEqual(['w1 stopped', 'w2 stopped']);
    expect(lines.slice(5)).toEqual(['base stopped']);
  });

  test('restarts a child that dies, with growing pauses', async () => {
    const dying = fakeChild(eventLog, 'dying', { script: `process.exit(3)` });
    const running = supervise([dying]);
    const isStarted = running.start();
    await eventually('two restarts', () => logged.length >= 2);
    const waits = logged.map(([fields]) => ('restartInMs' in fields ? Number(fields.restartInMs) : 0));
    expect(logged[0]).toEqual([
      { child: 'dying', code: 3, signal: null, restartInMs: waits[0] },
      'child died, will be restarted',
    ]);
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(waits[1]).toBeGreaterThanOrEqual(375);
    await running.stop();
    expect(await isStarted).toBe(false);
  });

  test('stops everything when a child has died often and was never up', async () => {
    const dying = fakeChild(eventLog, 'dying', { script: `process.exit(3)` });
    const running = supervise([fakeChild(eventLog, 'api'), dying], { mostFailedStarts: 3 });
    expect(await running.start()).toBe(false);
    expect(await running.finished).toBe(1);
    expect(logged.map(([, message]) => message)).toEqual([
      'child died, will be restarted',
      'child died, will be restarted',
      'child did not start',
    ]);
    expect(logged.at(-1)?.[0]).toMatchObject({ child: 'dying', code: 3, starts: 3 });
    expect(readEventLog(eventLog).at(-1)).toBe('api stopped');
  });

  test('gives a child only the environment variables that every program needs', async () => {
    process.env['OPERATORS_TOKEN'] = 'a secret of sixteen';
    const script = `write(Object.keys(process.env).sort().join()); process.send({ type: 'ready' });`;
    await supervise([fakeChild(eventLog, 'api', { script })]).start();
    delete process.env['OPERATORS_TOKEN'];
    const names = readEventLog(eventLog).at(-1)?.split(' ')[1]?.split(',') ?? [];
    expect(names.filter((name) => !/^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ)$/.test(name)).sort()).toEqual([
      'EVENT_LOG',
      'NAME',
    ]);
  });

  test('restarts a child that was killed, and leaves the other child running', async () => {
    const running = supervise([fakeChild(eventLog, 'api'), fakeChild(eventLog, 'worker')]);
    await running.start();
    const [api, worker] = [pidOf('api'), pidOf('worker')];
    process.kill(worker, 'SIGKILL');
    await eventually('the worker to be back', () => pidOf('worker') !== worker);
    expect(pidOf('api')).toBe(api);
    expect(isGone(api)()).toBe(false);
  });

  test('kills a child that does not stop in time, with everything that it started', async () => {
    const script = `
      const { pid } = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
      write('grandchild ' + pid); process.send({ type: 'ready' }); setInterval(() => {}, 1000);`;
    const running = supervise([fakeChild(eventLog, 'stubborn', { script, onTerm: '', graceMs: 100 })]);
    await running.start();
    const grandchild = Number(
      readEventLog(eventLog)
        .find((line) => line.includes('grandchild'))
        ?.split(' ')[2],
    );
    await running.stop();
    expect(await running.finished).toBe(0);
    expect(logged).toEqual([[{ child: 'stubborn', graceMs: 100 }, 'child killed, it did not stop in time']]);
    await eventually('the child to be gone', isGone(pidOf('stubborn')));
    await eventually('the grandchild to be gone', isGone(grandchild));
  });

  test('stops everything when a child finds a wrong setting', async () => {
    const running = supervise([
      fakeChild(eventLog, 'api', { script: `process.exit(78)` }),
      fakeChild(eventLog, 'worker'),
    ]);
    expect(await running.start()).toBe(false);
    expect(await running.finished).toBe(78);
    expect(startedPid(eventLog, 'api')).toBeDefined();
    expect(logged).toEqual([]);
    expect(readEventLog(eventLog).filter((line) => line.startsWith('api started'))).toHaveLength(1);
  });

  test('stops with a reason when the foundation does not start', async () => {
    const broken = {
      name: 'base',
      role: 'base',
      command: '/bin/sh',
      args: ['-c', 'echo spoilt >&2; exit 4'],
      graceMs: 1000,
    };
    const running = supervise([fakeChild(eventLog, 'api')], {
      foundation: [{ ...broken, ready: { probe: async () => false } }],
    });
    expect(await running.start()).toBe(false);
    expect(await running.finished).toBe(1);
    expect(logged).toEqual([
      [{ child: 'base', code: 4, signal: null, starts: 1, output: 'spoilt\n' }, 'child did not start'],
    ]);
    expect(readEventLog(eventLog)).toEqual([]);
  });

  test('handles a missing command like a child that died', async () => {
    const running = supervise([], {
      foundation: [{ ...fakeChild(eventLog, 'base'), command: '/nowhere/redis-server' }],
    });
    expect(await running.start()).toBe(false);
    expect(await running.finished).toBe(1);
    expect(logged).toEqual([
      [
        { child: 'base', code: null, signal: null, starts: 1, output: 'spawn /nowhere/redis-server ENOENT' },
        'child did not start',
      ],
    ]);
  });

  test('can be stopped while it starts', async () => {
    const running = supervise([fakeChild(eventLog, 'slow', { script: `setInterval(() => {}, 1000)` })]);
    const isStarted = running.start();
    await eventually('the child to be there', () => startedPid(eventLog, 'slow'));
    await running.stop();
    expect(await isStarted).toBe(false);
    expect(readEventLog(eventLog).at(-1)).toBe('slow stopped');
  });

  test('kills all children at once with code 130', async () => {
    const running = supervise([fakeChild(eventLog, 'api'), fakeChild(eventLog, 'worker')]);
    await running.start();
    running.kill();
    expect(await running.finished).toBe(130);
    expect([isGone(pidOf('api'))(), isGone(pidOf('worker'))()]).toEqual([true, true]);
    expect(readEventLog(eventLog).filter((line) => line.includes('stopped'))).toEqual([]);
  });

  test('writes the pids of its children to a file while they live', async () => {
    const pidDirectory = join(directory, 'run');
    const running = supervise([fakeChild(eventLog, 'api'), fakeChild(eventLog, 'worker')], { pidDirectory });
    await running.start();
    expect(readdirSync(pidDirectory).sort()).toEqual(['api.pid', 'worker.pid']);
    await running.stop();
    expect(readdirSync(pidDirectory)).toEqual([]);
  });
});
