import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hostname } from 'node:os';
import { Presence, presentProcesses, type ProcessNews } from '../../../src/telemetry/presence.ts';
import { closeConnection, openCommandConnection } from '../../../src/queue/connection.ts';
import { VERSION } from '../../../src/version.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openRecordSpace, silentLog, type RecordSpace } from '../../helpers/record-space.ts';
import { startRedisServer } from '../../helpers/redis-server.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

const NEWS: ProcessNews = {
  held: { '/progress': 2 },
  running: 0,
  lastMinute: { received: 1, completed: 0, failed: 0 },
  wake: null,
};

const CLOCK = { nowMs: () => Date.now() };

let space: RecordSpace;
const open: Presence[] = [];

beforeEach(async () => {
  space = await openRecordSpace(await sharedRedis());
});
afterEach(async () => {
  for (const presence of open.splice(0)) await presence.close();
  await space.close();
});

function presenceOf(role: 'api' | 'worker', news: () => ProcessNews = () => NEWS): Presence {
  const presence = new Presence(role, { ...space, clock: CLOCK, log: silentLog }, news);
  open.push(presence);
  return presence;
}

async function present() {
  return await presentProcesses(space.connection, space.keys);
}

describe('a process', () => {
  test('is present from its start to its end, with what it is at', async () => {
    expect(await present()).toEqual([]);
    const presence = presenceOf('api');
    presence.start();
    const [report] = await eventually('its word', async () => (await present()).length === 1 && (await present()));
    expect(report).toMatchObject({ role: 'api', host: hostname(), pid: process.pid, version: VERSION, ...NEWS });
    expect(Date.parse(report?.startedAt ?? '')).toBeLessThanOrEqual(Date.now());
    await presence.close();
    expect([await present(), await space.connection.exists(space.keys.processes)]).toEqual([[], 0]);
  });

  test('tells its newest news under the same id', async () => {
    let running = 1;
    const presence = presenceOf('worker', () => ({ ...NEWS, running }));
    await presence.announce();
    const [before] = await present();
    running = 2;
    await presence.announce();
    const [after, ...others] = await present();
    expect([before?.running, after?.running, after?.id === before?.id, others]).toEqual([1, 2, true, []]);
  });

  test('that dies without a word is forgotten by time alone', async () => {
    const presence = presenceOf('worker');
    await presence.announce();
    const [report] = await present();
    const key = space.keys.process(report?.id ?? '');
    expect(await space.connection.pttl(key)).toBeGreaterThan(0);
    expect(await space.connection.pttl(space.keys.processes)).toBeGreaterThan(0);
    await space.connection.del(key);
    expect(await present()).toEqual([]);
  });

  test('is one of many, API processes first', async () => {
    for (const role of ['worker', 'api', 'worker'] as const) await presenceOf(role).announce();
    expect((await present()).map(({ role }) => role)).toEqual(['api', 'worker', 'worker']);
  });

  test('whose news cannot be had says nothing and goes on', async () => {
    let isBroken = true;
    const presence = presenceOf('api', () => {
      if (isBroken) throw new Error('no news');
      return NEWS;
    });
    await presence.announce();
    expect(await present()).toEqual([]);
    isBroken = false;
    await presence.announce();
    expect((await present()).length).toBe(1);
  });
});

test('while Redis is away nobody waits for it, and it is told when it is back', async () => {
  const own = await startRedisServer({ port: 0 });
  const connection = openCommandConnection(own.url, silentLog);
  try {
    await own.down();
    const presence = new Presence('api', { connection, keys: space.keys, clock: CLOCK, log: silentLog }, () => NEWS);
    presence.start();
    await presence.announce();
    await own.up();
    await eventually(
      'its word',
      async () => connection.status === 'ready' && (await presentProcesses(connection, space.keys)).length === 1,
    );
    await own.down();
    await presence.close();
  } finally {
    await closeConnection(connection);
    await own.stop();
  }
});
