import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import type { ProgressState } from '../../src/record/progress.ts';
import { decodeProgress, type RecordFields } from '../../src/record/record-fields.ts';
import { openWaitingConnection } from '../../src/queue/connection.ts';
import type { EventFeed } from '../../src/queue/event-feed.ts';
import { openEventStream } from '../../src/queue/event-stream.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  applied,
  newUpload,
  openRecordSpace,
  RESULT,
  silentLog,
  STORED,
  uploadIn,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';
import { sharedRedis } from '../helpers/shared-redis.ts';

let space: RecordSpace;
const streams: EventFeed[] = [];
const servers: RedisServer[] = [];

beforeEach(async () => {
  space = await openRecordSpace(await sharedRedis());
});
afterEach(async () => {
  await Promise.all(streams.splice(0).map((stream) => stream.close()));
  await space.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

interface Received {
  events: ProgressState[];
  resumptions: number;
  /** Resolves when `isEnough` holds. */
  until(isEnough: (received: Received) => boolean): Promise<void>;
}

/** Listens as an API process does. */
async function listen(url?: string): Promise<Received> {
  const received: Received = {
    events: [],
    resumptions: 0,
    until: async (isEnough) => void (await eventually('enough events', () => isEnough(received))),
  };
  const listener = {
    changed(id: string, data: string | undefined) {
      received.events.push(decodeProgress(id, JSON.parse(data ?? '') as RecordFields));
    },
    missed() {
      received.resumptions += 1;
    },
    isWanted: () => true,
    hasWaiters: () => true,
  };
  const stream = openEventStream(
    openWaitingConnection(url ?? (await sharedRedis()), silentLog),
    space.keys,
    listener,
    silentLog,
  );
  streams.push(stream);
  await stream.opened;
  return received;
}

describe('the event of a change', () => {
  test('carries the progress part of the record exactly as it is read', async () => {
    const received = await listen();
    const { records } = space;
    const upload = newUpload({ fileName: 'a\u0001"ü.jpg' });
    const read: (ProgressState | undefined)[] = [];
    const keep = async () => read.push((await records.read(upload.id))?.record);
    applied(await records.open(upload));
    await keep();
    applied(await records.receive(upload.id, upload.fencingToken, 333, 1000));
    await keep();
    applied(await records.enqueue(upload.id, upload.fencingToken, STORED));
    await keep();
    applied(await records.begin(upload.id));
    await keep();
    applied(await records.advance(upload.id, 1, 1, 'resize', 1 / 3));
    await keep();
    applied(await records.complete(upload.id, 1, RESULT));
    await keep();
    await received.until(({ events }) => events.length >= 6);
    expect(received.events).toHaveLength(6);
    for (const [index, { eventAtMs, ...event }] of received.events.entries()) {
      expect(read[index]).toMatchObject(event);
      expect(Math.abs((eventAtMs ?? 0) - event.updatedAtMs)).toBeLessThan(60_000);
    }
    expect(received.events.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('does not exist if the change is rejected', async () => {
    const { id } = await uploadIn(space.records, 'cancelled');
    const before = await space.connection.xlen(space.keys.events);
    await space.records.begin(id);
    await space.records.open({ ...newUpload(), id: randomUUID() });
    expect(await space.connection.xlen(space.keys.events)).toBe(before + 1);
  });

  test('reaches a listener that listens before the change, and no older event does', async () => {
    await uploadIn(space.records, 'completed');
    const received = await listen();
    const { id } = await uploadIn(space.records, 'receiving');
    await received.until(({ events }) => events.length > 0);
    expect(received.events.map((event) => event.id)).toEqual([id]);
  });

  test('reaches a listener that began with an empty stream', async () => {
    const received = await listen();
    const { id } = await uploadIn(space.records, 'cancelled');
    await received.until(({ events }) => events.length >= 2);
    expect(received.events.map((event) => [event.id, event.state])).toEqual([
      [id, 'receiving'],
      [id, 'cancelled'],
    ]);
  });

  test('from a gap in the connection arrives later, and the listener is notified of the gap', async () => {
    const own = await startRedisServer();
    servers.push(own);
    await space.close();
    space = await openRecordSpace(own.url);
    const received = await listen(own.url);
    await uploadIn(space.records, 'receiving');
    await received.until(({ events }) => events.length === 1);
    await space.connection.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const { id } = await uploadIn(space.records, 'cancelled');
    await received.until(({ events, resumptions }) => resumptions > 0 && events.length === 3);
    expect(received.events.slice(1).map((event) => event.id)).toEqual([id, id]);
  });
});

describe('the search for lost events', () => {
  test('reads the stream only while there are waiters', async () => {
    const connection = openWaitingConnection(await sharedRedis(), silentLog);
    const call = jest.spyOn(connection, 'call');
    let checks = 0;
    let isAwaited = false;
    const hasWaiters = (): boolean => {
      checks += 1;
      return isAwaited;
    };
    const listener = { changed: () => undefined, missed: () => undefined, hasWaiters };
    const stream = openEventStream(connection, space.keys, listener, silentLog);
    streams.push(stream);
    await stream.opened;
    const reads = call.mock.calls.length;
    void stream.listen([]);
    // The first check finds no waiter, so it is the last one.
    await eventually('a check', () => checks > 0);
    expect(call.mock.calls).toHaveLength(reads);
    isAwaited = true;
    void stream.listen([]);
    await eventually('a read', () => call.mock.calls.length > reads);
  });
});

describe('the message to workers', () => {
  test.each(['cancel', 'delete'] as const)('is published for a %s after the change is applied', async (change) => {
    const { id } = await uploadIn(space.records, 'processing');
    const subscriber = openWaitingConnection(await sharedRedis(), silentLog);
    await subscriber.subscribe(space.keys.cancelChannel);
    const called = once(subscriber, 'message');
    await space.records[change](id);
    expect(await called).toEqual([space.keys.cancelChannel, id]);
    subscriber.disconnect();
  });
});
