import { afterEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import { connectToServer, type SingleRedis } from '../../../src/queue/redis-client.ts';
import { eventually } from '../../helpers/eventually.ts';
import { setImmediate as turn } from 'node:timers/promises';
import { bulk, bulks, startFakeRedis, type FakeRedis } from '../queue/fake-redis.ts';

const open: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

async function startMaster(): Promise<FakeRedis> {
  const master = await startFakeRedis(([name]) => (name === 'info' ? bulk('role:master\r\nloading:0\r\n') : '+OK\r\n'));
  open.push(master);
  return master;
}

interface FakeSentinel extends FakeRedis {
  /** Returns the number of requests for the master. */
  readonly asked: () => number;
  readonly listening: readonly Socket[];
  /** Reports a new master to these subscribers, default all. */
  announceMaster(master: FakeRedis, listening?: readonly Socket[]): void;
}

/** Starts a sentinel. `masterNow` may answer late. */
async function startSentinel(
  masterNow: () => FakeRedis | Promise<FakeRedis>,
  found: () => readonly FakeRedis[] = () => [],
  endsAtOnce = true,
): Promise<FakeSentinel> {
  const listening: Socket[] = [];
  let asked = 0;
  const fake = await startFakeRedis(
    ([name, what], socket) => {
      if (name === 'subscribe') {
        listening.push(socket);
        return `*3\r\n${bulk('subscribe')}${bulk('+switch-master')}:1\r\n`;
      }
      if (name !== 'sentinel') return '+OK\r\n';
      if (what !== 'get-master-addr-by-name')
        return `*${found().length}\r\n${found()
          .map(({ port }) => bulks('name', 'x', 'ip', '127.0.0.1', 'port', String(port), 'flags', 'sentinel'))
          .join('')}`;
      asked += 1;
      void Promise.resolve(masterNow()).then(({ port }) => socket.write(bulks('127.0.0.1', String(port))));
      return undefined;
    },
    { endsAtOnce },
  );
  open.push(fake);
  const announceMaster = ({ port }: FakeRedis, to: readonly Socket[] = listening) => {
    for (const socket of to) socket.write(bulks('message', '+switch-master', `mymaster 127.0.0.1 1 127.0.0.1 ${port}`));
  };
  return { ...fake, asked: () => asked, listening, announceMaster };
}

interface Connected {
  readonly connection: SingleRedis;
  /** The events of the connection, in order. */
  readonly events: readonly string[];
  readonly times: (event: string) => number;
}

/** Connects through the sentinels. Resolves when the connection is ready. */
async function connect(...sentinels: readonly FakeRedis[]): Promise<Connected> {
  const place = {
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    masterName: 'mymaster',
    username: undefined,
    password: undefined,
    sentinelPassword: undefined,
  };
  const connection = connectToServer(place, 'waits');
  const events: string[] = [];
  for (const event of ['ready', 'close', 'end']) connection.on(event, () => events.push(event));
  connection.on('error', () => events.push('error'));
  open.push({ close: () => connection.disconnect() });
  const times = (event: string): number => events.filter((each) => each === event).length;
  await eventually('the connection', () => times('ready') === 1);
  return { connection, events, times };
}

async function listened(sentinel: FakeSentinel, count = 1): Promise<void> {
  await eventually('somebody to listen', () => sentinel.listening.length >= count);
}

describe('connection through sentinels', () => {
  test('moves to the new master that a discovered sentinel reports', async () => {
    const [old, next] = [await startMaster(), await startMaster()];
    let current = old;
    const found: FakeSentinel = await startSentinel(() => current);
    const known = await startSentinel(
      () => current,
      () => [found],
    );
    const { times } = await connect(known);
    await listened(found);
    current = next;
    found.announceMaster(next);
    await eventually('the new master', () => times('ready') === 2 && next.sockets.length === 1);
    expect(old.sockets).toHaveLength(0);
  });

  test('stays with its master if a sentinel reports that master', async () => {
    const master = await startMaster();
    const sentinels = [await startSentinel(() => master), await startSentinel(() => master)] as const;
    const { connection, events } = await connect(...sentinels);
    for (const sentinel of sentinels) await listened(sentinel);
    for (const sentinel of sentinels) sentinel.announceMaster(master);
    // A failover of another master has no effect either.
    sentinels[0].listening[0]?.write(bulks('message', '+switch-master', 'other 127.0.0.1 1 127.0.0.1 2'));
    // A connector that subscribes again has read everything that came before the end.
    for (const sentinel of sentinels) sentinel.listening[0]?.end();
    for (const sentinel of sentinels) await listened(sentinel, 2);
    await connection.ping();
    expect(events).toEqual(['ready']);
  });

  test('is not ended by a report to its predecessor while it looks for the master', async () => {
    const master = await startMaster();
    let beforeAnswer: (() => Promise<void>) | undefined;
    const sentinel: FakeSentinel = await startSentinel(
      async () => {
        await beforeAnswer?.();
        return master;
      },
      () => [],
      false,
    );
    const { times } = await connect(sentinel);
    await listened(sentinel);
    const [listening] = sentinel.listening;
    beforeAnswer = async () => {
      beforeAnswer = undefined;
      // The old listener receives it, because this sentinel has not processed its end yet.
      sentinel.announceMaster(master, listening === undefined ? [] : [listening]);
      await eventually('the message to be out', () => listening?.writableLength === 0);
      // On this machine, written bytes are at once available to the reader.
      for (let turns = 0; turns < 5; turns += 1) await turn();
    };
    master.sockets[0]?.destroy();
    await eventually('the connection again', () => times('ready') === 2);
    expect(times('end')).toBe(0);
  });

  test('asks the last successful sentinel first and takes no sentinel for unreachable', async () => {
    const master = await startMaster();
    const [first, second] = [await startSentinel(() => master), await startSentinel(() => master)];
    const { events, times } = await connect(first, second);
    for (let round = 2; round <= 4; round += 1) {
      await listened(first, round - 1);
      master.sockets[0]?.destroy();
      await eventually('the connection again', () => times('ready') === round);
    }
    expect([first.asked(), second.asked()]).toEqual([4, 0]);
    expect(events).not.toContain('error');
  });

  test('ends its subscriptions when it is closed', async () => {
    const master = await startMaster();
    const sentinel = await startSentinel(() => master);
    const { connection } = await connect(sentinel);
    await listened(sentinel);
    connection.disconnect();
    await eventually('nobody', () => sentinel.sockets.length === 0 && master.sockets.length === 0);
    expect(connection.status).toBe('end');
  });
});

test('this patch is still needed: ioredis does not listen to sentinels by default', async () => {
  const master = await startMaster();
  const sentinel = await startSentinel(() => master);
  const plain = new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'mymaster' });
  open.push({ close: () => plain.disconnect() });
  await eventually('the connection', () => plain.status === 'ready');
  expect([sentinel.asked(), sentinel.listening]).toEqual([1, []]);
});
