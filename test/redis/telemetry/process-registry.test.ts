import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hostname } from 'node:os';
import { Heartbeat, readProcesses, type ProcessStatus } from '../../../src/telemetry/process-registry.ts';
import { closeConnection, openCommandConnection } from '../../../src/queue/connection.ts';
import { VERSION } from '../../../src/version.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openRecordSpace, silentLog, type RecordSpace } from '../../helpers/record-space.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

const STATUS: ProcessStatus = {
  held: { '/progress': 2 },
  running: 0,
  pausedBy: null,
  lastMinute: { received: 1, completed: 0, failed: 0 },
  wake: null,
};

let space: RecordSpace;
const open: Heartbeat[] = [];

beforeEach(async () => {
  space = await openRecordSpace(await sharedRedis());
});
afterEach(async () => {
  for (const heartbeat of open.splice(0)) await heartbeat.close();
  await space.close();
});

function heartbeatOf(role: 'api' | 'worker', status: () => ProcessStatus = () => STATUS): Heartbeat {
  const heartbeat = new Heartbeat(role, { ...space, log: silentLog }, status);
  open.push(heartbeat);
  return heartbeat;
}

async function present() {
  return await readProcesses(space.connection, space.keys);
}

describe('a process in the registry', () => {
  test('is listed with its status from its start to its end', async () => {
    expect(await present()).toEqual([]);
    const heartbeat = heartbeatOf('api');
    heartbeat.start();
    const [report] = await eventually(
      'its first heartbeat',
      async () => (await present()).length === 1 && (await present()),
    );
    expect(report).toMatchObject({ role: 'api', host: hostname(), pid: process.pid, version: VERSION, ...STATUS });
    expect(Date.parse(report?.startedAt ?? '')).toBeLessThanOrEqual(Date.now());
    await heartbeat.close();
    expect([await present(), await space.connection.exists(space.keys.processes)]).toEqual([[], 0]);
  });

  test('is listed once, with its newest status', async () => {
    let running = 1;
    const heartbeat = heartbeatOf('worker', () => ({ ...STATUS, running }));
    await heartbeat.beat();
    const [before] = await present();
    running = 2;
    await heartbeat.beat();
    const [after, ...others] = await present();
    expect([before?.running, after?.running, after?.id === before?.id, others]).toEqual([1, 2, true, []]);
  });

  test('expires if it ends without removing itself', async () => {
    const heartbeat = heartbeatOf('worker');
    await heartbeat.beat();
    const [report] = await present();
    const key = space.keys.process(report?.id ?? '');
    expect(await space.connection.pttl(key)).toBeGreaterThan(0);
    expect(await space.connection.pttl(space.keys.processes)).toBeGreaterThan(0);
    await space.connection.del(key);
    expect(await present()).toEqual([]);
  });

  test.each([
    ['makes a reconciliation scan due if it is an API process', 'api', true],
    ['makes no reconciliation scan due if it is a worker, whose records know its files', 'worker', false],
  ] as const)('that was killed %s', async (_rule, role, isDue) => {
    const { connection, keys } = space;
    await heartbeatOf(role).beat();
    const [killed] = await present();
    await connection.set(keys.reconciled, 'run');
    await heartbeatOf('worker').beat();
    expect([await connection.get(keys.reconciled), await connection.zcard(keys.processes)]).toEqual(['run', 2]);
    await connection.zadd(keys.processes, Date.now() - 120_000, killed?.id ?? '');
    await heartbeatOf('worker').beat();
    const mark = isDue ? killed?.id : 'run';
    expect([await connection.get(keys.reconciled), await connection.zcard(keys.processes)]).toEqual([mark, 2]);
  });

  test('is listed after API processes if it is a worker', async () => {
    for (const role of ['worker', 'api', 'worker'] as const) await heartbeatOf(role).beat();
    expect((await present()).map(({ role }) => role)).toEqual(['api', 'worker', 'worker']);
  });

  test('skips a heartbeat whose status cannot be read', async () => {
    let isBroken = true;
    const heartbeat = heartbeatOf('api', () => {
      if (isBroken) throw new Error('no status');
      return STATUS;
    });
    await heartbeat.beat();
    expect(await present()).toEqual([]);
    isBroken = false;
    await heartbeat.beat();
    expect((await present()).length).toBe(1);
  });
});

test('a heartbeat is skipped while Redis is away and sent when it is back', async () => {
  const own = await startRedisServer({ port: 0 });
  const connection = openCommandConnection(own.url, silentLog);
  try {
    await own.down();
    const heartbeat = new Heartbeat('api', { connection, keys: space.keys, log: silentLog }, () => STATUS);
    heartbeat.start();
    await heartbeat.beat();
    await own.up();
    await eventually(
      'its first heartbeat',
      async () => connection.status === 'ready' && (await readProcesses(connection, space.keys)).length === 1,
    );
    await own.down();
    await heartbeat.close();
  } finally {
    await closeConnection(connection);
    await own.stop();
  }
});
