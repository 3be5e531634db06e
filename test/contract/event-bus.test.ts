import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { OpenEvents } from '../../src/record/bus.ts';
import type { RecordStore } from '../../src/record/record-change.ts';
import { UploadRecords } from '../../src/record/record.ts';
import {
  openClusterConnection,
  openSubscribingConnection,
  openWaitingConnection,
  RedisRecordStore,
} from '../../src/queue/connection.ts';
import { EVENT_STREAM_LENGTH, type PublishCommand, type QueueKeys } from '../../src/queue/contract.ts';
import { openEventChannels } from '../../src/queue/event-channels.ts';
import { openEventStream } from '../../src/queue/event-stream.ts';
import { connectToServer, type SingleRedis } from '../../src/queue/redis-client.ts';
import type { ClusterPlace, RedisPlace } from '../../src/queue/redis-place.ts';
import { openShardSubscriber } from '../../src/queue/shard-subscriber.ts';
import { openSubscriber } from '../../src/queue/subscriber.ts';
import { BusProcess } from '../helpers/bus-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { applied, openRecordSpace, silentLog, uploadIn, type RecordSpace } from '../helpers/record-space.ts';
import { startRedisCluster, type RedisCluster } from '../helpers/redis-cluster.ts';
import { startRedisServer } from '../helpers/redis-server.ts';

/** A single Redis or a cluster. */
interface Ground {
  place: RedisPlace;
  /** Returns the URL of the server that has the key. */
  ownerOf(key: string): Promise<string>;
  stop(): Promise<void>;
}

/** One way to receive changes, and the way to publish them for it. */
interface Driver {
  start(): Promise<Ground>;
  publish: PublishCommand | undefined;
  openOn(place: RedisPlace, keys: QueueKeys): OpenEvents;
}

/** Every driver of the service, by name. */
const DRIVERS: Readonly<Record<string, Driver>> = {
  'the stream': { start: startServer, publish: undefined, openOn: overStream },
  'the stream of a cluster': { start: startCluster, publish: undefined, openOn: overStream },
  'a channel for each upload': {
    start: startServer,
    publish: 'PUBLISH',
    openOn: (place, keys) => (listener) =>
      openEventChannels(
        (receive) => openSubscriber(openSubscribingConnection(place as string, silentLog), receive),
        keys,
        listener,
        silentLog,
      ),
  },
  'a sharded channel for each upload': {
    start: startCluster,
    publish: 'SPUBLISH',
    openOn: (place, keys) => (listener) =>
      openEventChannels(
        (receive) =>
          openShardSubscriber(openClusterConnection(place as ClusterPlace, silentLog), keys.changeChannel(''), receive),
        keys,
        listener,
        silentLog,
      ),
  },
};

function overStream(place: RedisPlace, keys: QueueKeys): OpenEvents {
  return (listener) => openEventStream(openWaitingConnection(place, silentLog), keys, listener, silentLog);
}

async function startServer(): Promise<Ground> {
  const server = await startRedisServer();
  return { place: server.url, ownerOf: async () => Promise.resolve(server.url), stop: () => server.stop() };
}

let sharedCluster: Promise<RedisCluster> | undefined;

afterAll(async () => {
  await (await sharedCluster)?.stop();
});

/** Starts one cluster for all drivers, because its nodes take some seconds to find each other. */
async function startCluster(): Promise<Ground> {
  const cluster = await (sharedCluster ??= startRedisCluster());
  return {
    place: cluster.place,
    ownerOf: async (key) => (await cluster.ownerOf(key)).url,
    stop: async () => Promise.resolve(),
  };
}

/**
 * Adds changes of other uploads, twice as many as the stream keeps. KEYS: 1 stream. ARGV: 1 stream length, 2 channel
 * prefix, 3 command to publish.
 */
const NOISE_SCRIPT = `
for count = 1, 2 * ARGV[1] do
  local data = '{"state":"processing","version":"' .. count .. '"}'
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', 'progress', 'jobId', 'other-' .. count, 'data', data)
  redis.call(ARGV[3], ARGV[2] .. 'other-' .. count, data)
end
`;

for (const [name, driver] of Object.entries(DRIVERS)) describe(`the bus over ${name}`, () => conformance(driver));

/** The rules that every wait relies on, for any driver. */
function conformance(driver: Driver): void {
  const publish = driver.publish ?? 'PUBLISH';
  let ground: Ground;
  let space: RecordSpace;
  /** A connection to the server that has the keys of the space. */
  let server: SingleRedis;
  const processes: BusProcess[] = [];

  beforeAll(async () => {
    ground = await driver.start();
  });
  afterAll(async () => {
    await ground.stop();
  });
  beforeEach(async () => {
    space = await openRecordSpace(ground.place, 60_000, driver.publish);
    server = connectToServer(await ground.ownerOf(space.keys.events), 'waits');
    await server.ping();
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map(({ bus }) => bus.close()));
    server.disconnect();
    await space.close();
  });

  const addProcess = (): BusProcess => {
    const added = new BusProcess(space.records, driver.openOn(ground.place, space.keys));
    processes.push(added);
    return added;
  };
  const startProcess = async (): Promise<BusProcess> => {
    const added = addProcess();
    await added.bus.start();
    return added;
  };
  /** Creates an upload that is being processed, at version 3. */
  const working = async () => (await uploadIn(space.records, 'processing')).id;
  const advance = async (id: string, sequence = 1, records = space.records) =>
    applied(await records.advance(id, 1, sequence, 'variants', sequence / 100));

  describe('a change', () => {
    test('ends only the waits for its upload, in every process', async () => {
      const [first, second] = [await startProcess(), await startProcess()];
      const [id, other] = [await working(), await working()];
      const waits = [await first.wait(id, 3), await first.wait(id, 3), await second.wait(id, 3)];
      const waitForOther = await second.wait(other, 3);
      await advance(id);
      for (const wait of waits)
        expect(await wait.answered()).toMatchObject({ id, version: 4, stage: 'variants', timedOut: false });
      expect(waitForOther.isAnswered).toBe(false);
      await advance(other);
      expect((await waitForOther.answered()).version).toBe(4);
    });

    test('is answered from its event, without a further read of the record', async () => {
      const id = await working();
      const process = await startProcess();
      let reads = 0;
      const counting = { readProgress: (asked: string) => ((reads += 1), space.records.readProgress(asked)) };
      const wait = await process.wait(id, 3, counting);
      await advance(id);
      await wait.answered();
      expect(reads).toBe(1);
    });

    test('ends waits if it is a cancel or a delete from another process', async () => {
      const process = await startProcess();
      const ids = [await working(), await working(), (await uploadIn(space.records, 'receiving')).id];
      const waits = [
        await process.wait(ids[0] ?? '', 3),
        await process.wait(ids[1] ?? '', 3),
        await process.wait(ids[2] ?? '', 1),
      ];
      const elsewhere = space.another();
      applied(await elsewhere.cancel(ids[0] ?? ''));
      applied(await elsewhere.delete(ids[1] ?? ''));
      applied(await elsewhere.cancel(ids[2] ?? ''));
      for (const wait of waits) expect(await wait.answered()).toMatchObject({ state: 'cancelled', final: true });
    });

    test('ends one wait after the other, for twenty changes of one upload', async () => {
      const process = await startProcess();
      const id = await working();
      for (let sequence = 1; sequence <= 20; sequence += 1) {
        const wait = await process.wait(id, sequence + 2);
        void advance(id, sequence);
        expect((await wait.answered()).version).toBe(sequence + 3);
      }
    });
  });

  describe('a wait', () => {
    test.each(['before', 'after'] as const)(
      'does not miss a change that comes %s its first read of the record',
      async (when) => {
        const id = await working();
        const process = await startProcess();
        const interfering = {
          async readProgress(asked: string) {
            if (when === 'before') await advance(asked);
            const read = await space.records.readProgress(asked);
            if (when === 'after') await advance(asked);
            return read;
          },
        };
        const wait = await process.wait(id, 3, interfering);
        expect((await wait.answered()).version).toBe(4);
      },
    );

    test('does not miss changes that come at any moment while it starts, for any number of uploads', async () => {
      const ids = await Promise.all(Array.from({ length: 150 }, working));
      const process = await startProcess();
      const elsewhere = space.another();
      const waits = await Promise.all(
        ids.map(async (id, index) => {
          const changed = (async () => {
            for (let turns = 0; turns < index % 15; turns += 1) await turn();
            await advance(id, 1, elsewhere);
          })();
          const wait = await process.wait(id, 3);
          await changed;
          return wait;
        }),
      );
      for (const wait of waits) expect((await wait.answered()).version).toBe(4);
    });

    test('does not miss a change if the bus starts late, and earlier waiters are woken', async () => {
      const process = addProcess();
      const [changed, unchanged] = [await working(), await working()];
      const waits = [await process.wait(changed, 3), await process.wait(unchanged, 3)] as const;
      await advance(changed);
      expect(waits[0].isAnswered).toBe(false);
      await process.bus.start();
      expect((await waits[0].answered()).version).toBe(4);
      expect(waits[1].isAnswered).toBe(false);
      await advance(unchanged);
      expect((await waits[1].answered()).version).toBe(4);
    });

    test('does not miss a change if the connection breaks and a change comes before the next one', async () => {
      const [changed, unchanged] = [await working(), await working()];
      const process = await startProcess();
      const waits = [await process.wait(changed, 3), await process.wait(unchanged, 3)] as const;
      // The commands follow each other on one connection, before any client can reconnect.
      const kills = Promise.all(
        ['normal', 'pubsub'].map((type) => server.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')),
      );
      await advance(changed, 1, recordsOver(new RedisRecordStore(server)));
      expect((await kills).map(Number).reduce((sum, count) => sum + count)).toBeGreaterThan(0);
      expect((await waits[0].answered()).version).toBe(4);
      expect(waits[1].isAnswered).toBe(false);
      await advance(unchanged);
      expect((await waits[1].answered()).version).toBe(4);
    });

    test('does not miss a change if its reader is paused while other changes fill the stream twice', async () => {
      const id = await working();
      const process = await startProcess();
      const wait = await process.wait(id, 3);
      await withinOneStep(id, (step) =>
        step.eval(NOISE_SCRIPT, 1, space.keys.events, EVENT_STREAM_LENGTH, space.keys.changeChannel(''), publish),
      );
      expect((await wait.answered()).version).toBe(4);
    });

    test('does not miss a change if the stream is trimmed to nothing before it is read', async () => {
      const id = await working();
      const process = await startProcess();
      const wait = await process.wait(id, 3);
      await withinOneStep(id, (step) => step.xtrim(space.keys.events, 'MAXLEN', 0));
      expect((await wait.answered()).version).toBe(4);
    });
  });

  test('ignores events without a waiter and unreadable events', async () => {
    const process = await startProcess();
    const id = await working();
    const wait = await process.wait(id, 3);
    for (const data of ['{{{', '"progress"', '{}', '{"state":"x"}', 'null']) {
      await server.xadd(space.keys.events, '*', 'event', 'progress', 'jobId', id, 'data', data);
      await server.call(publish, space.keys.changeChannel(id), data);
    }
    await server.call(publish, space.keys.changeChannel(id), '{"state":');
    await advance(await working());
    await advance(id);
    expect((await wait.answered()).version).toBe(4);
  });

  test('reports a fault while the user lacks the right to subscribe, and loses no wait', async () => {
    const id = await working();
    const process = addProcess();
    await server.call('ACL', 'SETUSER', 'default', '-xinfo', '-subscribe', '-ssubscribe');
    const started = process.bus.start();
    try {
      const wait = await process.wait(id, 3);
      await eventually('the refusal', () => faultOf(process).includes('NOPERM'));
      await advance(id);
      await server.call('ACL', 'SETUSER', 'default', '+@all');
      expect((await wait.answered()).version).toBe(4);
      await started;
      expect(faultOf(process)).toBe('');
    } finally {
      await server.call('ACL', 'SETUSER', 'default', '+@all');
    }
  });

  if (driver.publish === undefined)
    test('opens a failed reader again, after the last entry it has read', async () => {
      const [first, second] = [await working(), await working()];
      const process = await startProcess();
      const waits = [await process.wait(first, 3), await process.wait(second, 3)] as const;
      // The reader is unblocked with an error several times, as by an administrator.
      await eventually('the reader to end', async () => {
        const blocked = String(await server.call('CLIENT', 'LIST'))
          .split('\n')
          .filter((line) => line.includes('cmd=xread'));
        for (const line of blocked) await server.call('CLIENT', 'UNBLOCK', /id=(\d+)/.exec(line)?.[1] ?? '0', 'ERROR');
        return faultOf(process) !== '';
      });
      await advance(first);
      expect((await waits[0].answered()).version).toBe(4);
      await eventually('the feed to be open again', () => faultOf(process) === '');
      await advance(second);
      expect((await waits[1].answered()).version).toBe(4);
    });

  test('leaves no keys and connections after the close, even if it never opened', async () => {
    const id = await working();
    const process = addProcess();
    await process.bus.close();
    const openAndClose = async (): Promise<void> => {
      await process.bus.start();
      (await process.wait(id, 3)).end();
      await process.bus.close();
    };
    await openAndClose();
    // There are also connections of the records. A cluster opens some of them late, so a single count may be too low.
    await eventually('as many connections as before', async () => {
      const others = await connections();
      await openAndClose();
      const isGone = async () => (await connections()) <= others;
      return await eventually('its connections to be gone', isGone, 2_000).catch(() => false);
    });
    expect(process.registry.size).toBe(0);
    const nowhere =
      typeof ground.place === 'string'
        ? '/nowhere/redis.sock'
        : { ...ground.place, nodes: [{ host: '127.0.0.1', port: 1 }] };
    const away = new BusProcess(space.records, driver.openOn(nowhere, space.keys));
    void away.bus.start();
    await turn();
    await away.bus.close();
  });

  /** Returns why no events are received. Empty while they are. */
  function faultOf({ bus }: BusProcess): string {
    try {
      bus.assertReceiving();
      return '';
    } catch (error) {
      return String(error);
    }
  }

  async function connections(): Promise<number> {
    return String(await server.call('CLIENT', 'LIST'))
      .trim()
      .split('\n').length;
  }

  type Step = ReturnType<SingleRedis['multi']>;

  /** Changes the upload and runs further commands in the same step of Redis, so that no reader acts in between. */
  async function withinOneStep(id: string, also: (step: Step) => Step): Promise<void> {
    const store = Object.assign(new RedisRecordStore(server), {
      async runScript(script: string, keys: readonly string[], args: readonly string[]) {
        const replies = await also(server.multi().eval(script, keys.length, ...keys, ...args)).exec();
        const [error, reply] = replies?.[0] ?? [];
        if (error) throw error;
        return reply;
      },
    });
    await advance(id, 1, recordsOver(store));
  }

  function recordsOver(store: RecordStore): UploadRecords {
    return new UploadRecords(store, space.keys, {
      retentionMs: 60_000,
      ...(driver.publish === undefined ? {} : { publish: driver.publish }),
    });
  }
}
