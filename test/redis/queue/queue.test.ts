import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import {
  available,
  closeConnection,
  openCommandConnection,
  openWaitingConnection,
  RedisRecordStore,
  type Redis,
} from '../../../src/queue/connection.ts';
import { OTHER_KIND, queueKeys } from '../../../src/queue/contract.ts';
import { UploadQueue } from '../../../src/queue/upload-queue.ts';
import { UploadSets, type DueReconciliation } from '../../../src/queue/upload-sets.ts';
import { silentLog, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';
import { startRedisServer, type RedisServer } from '../../helpers/redis-server.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';
import { eventually } from '../../helpers/eventually.ts';

let space: RecordSpace;

useRecords('test', (opened) => (space = opened));

/** Calls the test with a Redis that it may stop, and with a connection that is ready. Both are closed afterwards. */
async function withOwnRedis(
  open: (url: string) => Redis,
  use: (own: RedisServer, connection: Redis) => Promise<void>,
): Promise<void> {
  const own = await startRedisServer({ port: 0 });
  const connection = open(own.url);
  try {
    await new Promise((resolve) => connection.once('ready', resolve));
    await use(own, connection);
    await closeConnection(connection);
  } finally {
    if (connection.status !== 'end') connection.disconnect();
    await own.stop();
  }
}

const commands = (url: string): Redis => openCommandConnection(url, silentLog);

/** Starts Redis again. Resolves when the connection is ready. */
async function bringBack(own: RedisServer, connection: Redis): Promise<void> {
  const back = new Promise((resolve) => connection.once('ready', resolve));
  await own.up();
  await back;
}

test('gives all keys of an installation the same hash tag, so that one script may use them all', () => {
  const keys = Object.values(queueKeys('my-prefix')).map((key: string | ((id: string) => string)) =>
    typeof key === 'string' ? key : key('x'),
  );
  for (const key of keys) expect(key).toMatch(/^\{my-prefix\}/);
  expect(new Set(keys).size).toBe(keys.length);
});

describe('the queue', () => {
  test('counts the permits of all kinds', async () => {
    const queue = new UploadQueue(space.connection, space.keys, silentLog);
    await space.connection.sadd(space.keys.kinds, 'picture', 'table');
    await queue.add('picture');
    await queue.addMany('table', 3);
    await queue.add(OTHER_KIND);
    expect(await queue.counts()).toEqual({ waiting: 5, active: 0, delayed: 0 });
    expect([await queue.has('table', '1'), await queue.has('picture', '2')]).toEqual([true, false]);
    await queue.close();
  });

  test('rejects at once with service_unavailable while Redis is away', async () => {
    await withOwnRedis(commands, async (own, connection) => {
      const queue = new UploadQueue(connection, space.keys, silentLog);
      await queue.add(OTHER_KIND);
      await own.down();
      await expect(queue.counts()).rejects.toMatchObject({ code: 'service_unavailable' });
      await bringBack(own, connection);
      await queue.close();
    });
  });
});

describe('commands for records', () => {
  test('run a script by its digest, and load it if Redis does not have it', async () => {
    const script = 'return { KEYS[1], ARGV[1], ARGV[2] }';
    await withOwnRedis(commands, async (_own, connection) => {
      const store = new RedisRecordStore(connection);
      expect(await store.runScript(script, ['k'], ['a', 'ü'])).toEqual(['k', 'a', 'ü']);
      await connection.call('SCRIPT', ['FLUSH']);
      expect(await store.runScript(script, ['k'], ['b', ''])).toEqual(['k', 'b', '']);
    });
  });

  test('read a hash, and an unknown hash as empty', async () => {
    const hash = space.keys.record('a');
    await space.connection.hset(hash, 'a', '1');
    expect(await space.store.readHash(hash)).toEqual({ a: '1' });
    expect(await space.store.readHash(space.keys.record('none'))).toEqual({});
  });

  test('fail at once with service_unavailable while Redis is away, and work when it is back', async () => {
    await withOwnRedis(commands, async (own, connection) => {
      const store = new RedisRecordStore(connection);
      expect(store.isReady).toBe(true);
      await own.down();
      for (const ask of [() => store.ping(), () => store.get('k'), () => store.runScript('return 1', ['k'], [])]) {
        await expect(ask()).rejects.toMatchObject({
          code: 'service_unavailable',
          status: 503,
          retryAfterMs: expect.any(Number) as unknown,
        });
      }
      await turnsUntil('the store to notice', () => !store.isReady);
      await bringBack(own, connection);
      await store.ping();
    });
  });

  test('on a waiting connection are answered when Redis is back', async () => {
    await withOwnRedis(
      (url) => openWaitingConnection(url, silentLog),
      async (own, connection) => {
        await own.down();
        const waits = connection.ping();
        await own.up();
        expect(await waits).toBe('PONG');
      },
    );
  });
});

describe('errors of a Redis that is away', () => {
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

  const away = [
    new Error('Connection is closed.'),
    new Error('Command timed out'),
    reply('LOADING Redis is loading'),
    reply('OOM command not allowed'),
    reply("READONLY You can't write"),
  ];
  test.each(away.map((error) => [error.message, error] as const))('include "%s"', async (_message, error) => {
    await expect(available(async () => await Promise.reject(error))).rejects.toMatchObject({
      code: 'service_unavailable',
      cause: error,
    });
  });

  const others = [
    reply('WRONGTYPE Operation against a key'),
    reply('ERR unknown command'),
    new TypeError('x is not a function'),
    new ServiceError('upload_gone', 'Gone.'),
  ];
  test.each(others.map((error) => [error.message, error] as const))(
    'do not include "%s", which is a fault of the service or an answer',
    async (_message, error) => {
      await expect(available(async () => await Promise.reject(error))).rejects.toBe(error);
    },
  );
});

describe('the sets of uploads', () => {
  test('keep an upload due if it was opened again while it was handled', async () => {
    const sets = new UploadSets(space.connection, space.keys);
    await space.connection.zadd(space.keys.due, 10, 'a', 20, 'b', 1e15, 'c');
    expect((await sets.due(9)).ids).toEqual(['a', 'b']);
    expect((await sets.due(1)).ids).toEqual(['a']);
    await space.connection.zadd(space.keys.due, 99, 'a');
    for (const id of ['a', 'b', 'nothing']) await sets.markHandled(id, 20);
    expect((await sets.due(9)).ids).toEqual(['a']);
    expect(await sets.putOff('a', 20)).toBe(0);
    expect((await sets.due(9)).ids).toEqual(['a']);
  });

  test('keep the mark of a reconciliation scan until it expires', async () => {
    const sets = new UploadSets(space.connection, space.keys);
    const due = await dueOf(sets);
    expect([due.run, due.last, due.nowMs]).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/), '', expect.any(Number)]);
    await sets.markReconciled(due, 60_000);
    expect(await sets.reconciliationDue()).toBeUndefined();
    await space.connection.set(space.keys.reconciled, 'the run of a server that is no more');
    const again = await dueOf(sets);
    expect(again.run).toBe(due.run);
    await sets.markReconciled(again, 1);
    await eventually('the next scan', async () => (await sets.reconciliationDue()) !== undefined);
  });

  test('keep a reconciliation scan due that became due during the last one', async () => {
    const sets = new UploadSets(space.connection, space.keys);
    const due = await dueOf(sets);
    await space.connection.set(space.keys.reconciled, 'api-killed');
    await sets.markReconciled(due, 60_000);
    expect((await dueOf(sets)).last).toBe('api-killed');
    await sets.markReconciled(await dueOf(sets), 60_000);
    expect(await sets.reconciliationDue()).toBeUndefined();
  });

  test('make a scan due only by time if the server reports no run id', async () => {
    await withOwnRedis(
      (url) => openCommandConnection(url, silentLog),
      async (_own, connection) => {
        await connection.call('ACL', 'SETUSER', 'default', '-info');
        const sets = new UploadSets(connection, queueKeys('hidden'));
        const due = await dueOf(sets);
        expect(due.run).toBe('unknown');
        await sets.markReconciled(due, 60_000);
        expect(await sets.reconciliationDue()).toBeUndefined();
      },
    );
  });
});

async function dueOf(sets: UploadSets): Promise<DueReconciliation> {
  const due = await sets.reconciliationDue();
  if (due === undefined) throw new Error('no scan is due');
  return due;
}
