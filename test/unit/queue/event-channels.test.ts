import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { openEventChannels } from '../../../src/queue/event-channels.ts';
import type { EventFeed } from '../../../src/queue/event-feed.ts';
import type { Subscriber, SubscriberListener } from '../../../src/queue/subscriber.ts';
import { silentLog } from '../../helpers/record-space.ts';

const UNUSED_CHECK_MS = 15_000;
const PING_MS = 10_000;

/** A connection for which a test answers every command. */
class FakeSubscriber implements Subscriber {
  isReady = false;
  readonly log: string[] = [];
  readonly answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  /** True if commands are answered at once. */
  isPrompt = true;
  reconnects = 0;
  isClosed = false;

  subscribe = (channels: readonly string[]) => this.#command('+', channels);
  unsubscribe = (channels: readonly string[]) => this.#command('-', channels);
  ping = () => this.#command('ping', []);
  reconnect = () => void (this.reconnects += 1);
  close = () => void (this.isClosed = true);

  #command(sign: string, asked: readonly string[]): Promise<void> {
    const channels = asked.filter((channel) => channel !== 'c:');
    if (asked.length > channels.length && channels.length === 0 && this.isPrompt) return Promise.resolve();
    this.log.push([sign, ...channels].join(' '));
    return this.isPrompt ? Promise.resolve() : new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  }
}

let subscriber: FakeSubscriber;
let connection: SubscriberListener;
let feed: EventFeed;
let wanted: Set<string>;
let reports: unknown[];

beforeEach(() => {
  jest.useFakeTimers();
  subscriber = new FakeSubscriber();
  wanted = new Set();
  reports = [];
  feed = openEventChannels(
    (listener) => ((connection = listener), subscriber),
    { changeChannel: (id) => `c:${id}` },
    {
      changed: (id, data) => reports.push([id, data]),
      missed: () => reports.push('missed'),
      isWanted: (id) => wanted.has(id),
      hasWaiters: () => wanted.size > 0,
    },
    silentLog,
  );
});
afterEach(async () => {
  await feed.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

async function becomeReady(): Promise<void> {
  subscriber.isReady = true;
  connection.ready();
  await jest.advanceTimersByTimeAsync(0);
}

/** Adds a waiter for these uploads. */
function want(...ids: string[]): Promise<void> | undefined {
  for (const id of ids) wanted.add(id);
  return feed.listen(ids);
}

async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = promise === undefined;
  void promise?.then(() => (settled = true));
  await jest.advanceTimersByTimeAsync(0);
  return settled;
}

describe('channels of uploads', () => {
  test('are subscribed to for the first waiter, and not again', async () => {
    await becomeReady();
    subscriber.isPrompt = false;
    const first = want('a');
    const second = want('a', 'b', 'a');
    expect(subscriber.log).toEqual(['+ c:a', '+ c:b']);
    expect([await isSettled(first), await isSettled(second)]).toEqual([false, false]);
    subscriber.answers[0]?.resolve();
    expect([await isSettled(first), await isSettled(second)]).toEqual([true, false]);
    subscriber.answers[1]?.resolve();
    expect(await isSettled(second)).toBe(true);
    expect(want('a', 'b')).toBe(undefined);
  });

  test('report the changes of their upload, with any data', async () => {
    await becomeReady();
    reports = [];
    connection.message('c:a', '{"state":"queued"}');
    connection.message('c:b', 'nonsense');
    expect(reports).toEqual([
      ['a', '{"state":"queued"}'],
      ['b', 'nonsense'],
    ]);
  });

  test('block no waiter while the connection is away, and are subscribed to when it is back', async () => {
    expect(want('a')).toBe(undefined);
    expect(subscriber.log).toEqual([]);
    await becomeReady();
    expect(subscriber.log).toEqual(['+ c:a']);
    expect(reports).toEqual(['missed']);
    await feed.opened;
  });

  test('are subscribed to again on a new connection, and all waiters may have missed events then', async () => {
    await becomeReady();
    void want('a', 'b', 'c');
    wanted.delete('b');
    reports = [];
    subscriber.log.length = 0;
    subscriber.isPrompt = false;
    await becomeReady();
    expect([subscriber.log, reports]).toEqual([['+ c:a c:c'], []]);
    subscriber.answers[0]?.resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect(reports).toEqual(['missed']);
    expect(await isSettled(want('b'))).toBe(false);
  });

  test('are subscribed to by commands that do not block Redis', async () => {
    await becomeReady();
    void want(...Array.from({ length: 2500 }, (_, index) => String(index)));
    await jest.advanceTimersByTimeAsync(0);
    expect(subscriber.log.map((line) => line.split(' ').length - 1)).toEqual([1000, 1000, 500]);
  });

  test('block no waiter if the connection breaks, and replace a connection that does not answer', async () => {
    await becomeReady();
    subscriber.isPrompt = false;
    const [first, second] = [want('a'), want('b')];
    subscriber.answers[0]?.reject(new Error('Command timed out'));
    expect(await isSettled(first)).toBe(true);
    expect(subscriber.reconnects).toBe(1);
    subscriber.isReady = false;
    subscriber.answers[1]?.reject(new Error('Connection is closed.'));
    expect(await isSettled(second)).toBe(true);
    expect(subscriber.reconnects).toBe(1);
  });

  test('are a fault of the feed if Redis rejects them, and are tried again with growing pauses', async () => {
    expect(feed.fault).toBe('there is no connection to Redis');
    await becomeReady();
    expect(feed.fault).toBeUndefined();
    subscriber.isPrompt = false;
    const refused = want('a');
    const noPermission = Object.assign(new Error('NOPERM this user has no permissions'), { name: 'ReplyError' });
    subscriber.answers[0]?.reject(noPermission);
    expect(await isSettled(refused)).toBe(true);
    expect([feed.fault, subscriber.reconnects]).toEqual(['Redis answers NOPERM', 0]);
    await jest.advanceTimersByTimeAsync(100);
    subscriber.answers[1]?.reject(noPermission);
    await jest.advanceTimersByTimeAsync(100);
    expect(subscriber.answers).toHaveLength(2);
    reports = [];
    await jest.advanceTimersByTimeAsync(100);
    subscriber.answers[2]?.resolve();
    await jest.advanceTimersByTimeAsync(0);
    expect([feed.fault, reports]).toEqual([undefined, ['missed']]);
  });
});

describe('a channel without a waiter', () => {
  test('is kept for a while for the next poll, and dropped then', async () => {
    await becomeReady();
    void want('a', 'b');
    wanted.clear();
    await jest.advanceTimersByTimeAsync(UNUSED_CHECK_MS);
    expect(want('a')).toBe(undefined);
    wanted.clear();
    await jest.advanceTimersByTimeAsync(UNUSED_CHECK_MS);
    expect(subscriber.log.filter((line) => line !== 'ping')).toEqual(['+ c:a c:b', '- c:b']);
    await jest.advanceTimersByTimeAsync(UNUSED_CHECK_MS);
    expect(subscriber.log.at(-1)).toBe('- c:a');
    expect(want('a')).toBeDefined();
  });

  test('is kept while there is another waiter', async () => {
    await becomeReady();
    void want('a');
    await jest.advanceTimersByTimeAsync(10 * UNUSED_CHECK_MS);
    expect(subscriber.log.filter((line) => line !== 'ping')).toEqual(['+ c:a']);
  });

  test('is dropped at once if there are too many', async () => {
    await becomeReady();
    for (let count = 0; count < 50_000; count += 1) void feed.listen([String(count)]);
    wanted.add('7');
    subscriber.log.length = 0;
    void feed.listen(['one more']);
    expect(subscriber.log.flatMap((line) => (line.startsWith('-') ? line.split(' ').slice(1) : []))).toHaveLength(
      49_999,
    );
    expect(subscriber.log.at(-1)).toBe('+ c:one more');
  });
});

test('the feed replaces a connection that does not reply, and pings no connection that is away', async () => {
  await jest.advanceTimersByTimeAsync(PING_MS);
  expect(subscriber.log).toEqual([]);
  await becomeReady();
  subscriber.isPrompt = false;
  await jest.advanceTimersByTimeAsync(PING_MS);
  expect(subscriber.log).toEqual(['ping']);
  subscriber.answers[0]?.reject(new Error('Command timed out'));
  await jest.advanceTimersByTimeAsync(0);
  expect(subscriber.reconnects).toBe(1);
});

test('the feed closes its connection', async () => {
  await feed.close();
  expect(subscriber.isClosed).toBe(true);
});
