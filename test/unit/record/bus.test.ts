import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ProgressBus } from '../../../src/record/bus.ts';
import type { ProgressState } from '../../../src/record/progress.ts';
import type { EventListener } from '../../../src/queue/event-feed.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { ID, openRegistry } from './states.ts';

const FIELDS = JSON.stringify({
  state: 'processing',
  version: '8',
  percent: '70',
  updatedAt: '5',
  phaseStartedAt: '5',
});

function build(fault?: string) {
  const registry = openRegistry();
  let attached: EventListener | undefined;
  let closed = 0;
  const subscribing = Promise.resolve();
  let opened: () => void = () => undefined;
  const bus = new ProgressBus(
    registry,
    (listener) => {
      attached = listener;
      return {
        opened: new Promise((resolve) => (opened = resolve)),
        fault,
        reportsAll: true,
        listen: (ids) => (ids[0] === ID ? subscribing : undefined),
        close: async () => void closed++,
      };
    },
    silentLog,
  );
  const wakes: (ProgressState | undefined)[] = [];
  const release = registry.register([ID], (event) => wakes.push(event));
  return {
    bus,
    registry,
    release,
    wakes,
    subscribing,
    closed: () => closed,
    open: () => opened(),
    feed: () => attached as EventListener,
  };
}

describe('the bus', () => {
  test('wakes the waiters of a changed upload with its new state', async () => {
    const { bus, wakes, feed, open } = build();
    const started = bus.start();
    feed().changed(ID, FIELDS);
    feed().changed('another', FIELDS);
    expect(wakes).toMatchObject([{ id: ID, version: 8, percent: 70 }]);
    expect(bus.received).toBe(2);
    open();
    await started;
  });

  test('has started when its feed has started', async () => {
    const { bus, open } = build();
    let hasBegun = false;
    const started = bus.start().then(() => (hasBegun = true));
    await turn();
    expect(hasBegun).toBe(false);
    open();
    await started;
  });

  test('wakes all waiters if events may have been missed', async () => {
    const { bus, wakes, feed } = build();
    void bus.start();
    feed().missed();
    expect(wakes).toEqual([undefined]);
  });

  test('requests the events of uploads with a waiter', async () => {
    const { bus, release, feed, subscribing } = build();
    expect(bus.listen([ID])).toBe(undefined);
    void bus.start();
    expect([bus.listen([ID]), bus.listen(['another'])]).toEqual([subscribing, undefined]);
    expect([feed().isWanted(ID), feed().isWanted('another')]).toEqual([true, false]);
    release();
    expect(feed().isWanted(ID)).toBe(false);
  });

  test.each([
    ['no JSON', '{{{'],
    ['nothing', undefined],
    ['not even fields', '"progress"'],
    ['a number', '50'],
    ['null', 'null'],
    ['fields of something else', '{"a":{"b":1}}'],
    ['no state', '{}'],
    ['an unknown state', FIELDS.replace('processing', 'x')],
  ])('lets waiters read the record after an unreadable event (%s)', (_what, data) => {
    const { bus, wakes, feed, open } = build();
    void bus.start();
    feed().changed(ID, data);
    feed().changed(ID, FIELDS);
    expect([wakes[0], wakes[1]?.version]).toEqual([undefined, 8]);
    open();
  });

  test('closes its feed, or nothing if it never opened one', async () => {
    const { bus, open, closed } = build();
    await bus.close();
    const started = bus.start();
    open();
    await started;
    await bus.close();
    expect(closed()).toBe(1);
  });
});

const withVersion = (version: number) => FIELDS.replace('"8"', `"${version}"`);

describe('the known state of an upload', () => {
  let nowMs: number;
  beforeEach(() => {
    nowMs = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is that of the last event that had a waiter', () => {
    const { bus, feed } = build();
    void bus.start();
    expect(bus.knownState(ID)).toBe(undefined);
    feed().changed(ID, FIELDS);
    feed().changed(ID, withVersion(9));
    expect(bus.knownState(ID)).toMatchObject({ version: 9 });
  });

  test.each<[string, (built: ReturnType<typeof build>) => void]>([
    [
      'after an event without a waiter',
      ({ feed, release }) => {
        release();
        feed().changed(ID, withVersion(9));
      },
    ],
    ['after missed events', ({ feed }) => feed().missed()],
    ['after an unreadable event', ({ feed }) => feed().changed(ID, '{{{')],
    ['after an event with a lower version', ({ feed }) => feed().changed(ID, withVersion(7))],
    ['once it is final', ({ feed }) => feed().changed(ID, FIELDS.replace('processing', 'completed'))],
    ['five seconds after its event', () => (nowMs += 5_001)],
    ['while it is queued', ({ feed }) => feed().changed(ID, FIELDS.replace('processing', 'queued'))],
  ])('is not known %s', (_when, happens) => {
    const built = build();
    void built.bus.start();
    built.feed().changed(ID, FIELDS);
    happens(built);
    expect(built.bus.knownState(ID)).toBe(undefined);
  });

  test('is not known while no events are received', () => {
    const { bus, feed } = build('Redis answers NOPERM');
    void bus.start();
    feed().changed(ID, FIELDS);
    expect(bus.knownState(ID)).toBe(undefined);
  });

  test('is forgotten first for the upload that changed longest ago if there are too many', () => {
    const { bus, registry, feed } = build();
    void bus.start();
    feed().changed(ID, FIELDS);
    const others = Array.from({ length: 2000 }, (_, index) => `other-${index}`);
    registry.register(others, () => undefined);
    for (const id of others.slice(1)) feed().changed(id, FIELDS);
    expect(bus.knownState(ID)).toBeDefined();
    feed().changed('other-0', FIELDS);
    expect([bus.knownState(ID), bus.knownState('other-0')]).toMatchObject([undefined, { version: 8 }]);
  });
});

test('warns about unreadable events at most once a minute, and never without a waiter', () => {
  const warned: unknown[] = [];
  const log = Object.assign(Object.create(silentLog) as typeof silentLog, {
    warn: (fields: unknown) => void warned.push(fields),
  });
  const registry = openRegistry();
  let attached: EventListener | undefined;
  const opened = Promise.resolve();
  const open = (listener: EventListener) => {
    attached = listener;
    return { opened, fault: undefined, listen: () => undefined, close: async () => undefined };
  };
  void new ProgressBus(registry, open, log).start();
  attached?.changed(ID, '{{{');
  expect(warned).toHaveLength(0);
  const release = registry.register([ID], () => undefined);
  for (let events = 0; events < 5; events += 1) attached?.changed(ID, '{{{');
  expect(warned).toHaveLength(1);
  release();
});

test('throws 503 with the reason while no events are received', async () => {
  let fault: string | undefined = 'Redis answers NOPERM';
  const feed = {
    opened: Promise.resolve(),
    get fault() {
      return fault;
    },
    listen: () => undefined,
    close: async () => undefined,
  };
  const bus = new ProgressBus(openRegistry(), () => feed, silentLog);
  expect(() => bus.assertReceiving()).toThrow('the feed is not open yet');
  await bus.start();
  expect(() => bus.assertReceiving()).toThrow(
    'This process receives no events of uploads: Redis answers NOPERM. Try again shortly.',
  );
  fault = undefined;
  bus.assertReceiving();
});
