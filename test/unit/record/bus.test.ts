import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ProgressBus } from '../../../src/record/bus.ts';
import type { ProgressState } from '../../../src/record/progress.ts';
import type { EventListener } from '../../../src/queue/event-feed.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { ID, openRegistry } from './states.ts';

const FIELDS = { state: 'processing', version: '8', percent: '70', updatedAt: '5', phaseStartedAt: '5' };

function build() {
  const registry = openRegistry();
  let heard: EventListener | undefined;
  let closed = 0;
  const subscribing = Promise.resolve();
  let opened: () => void = () => undefined;
  const bus = new ProgressBus(
    registry,
    (listener) => {
      heard = listener;
      return {
        opened: new Promise((resolve) => (opened = resolve)),
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
    feed: () => heard as EventListener,
  };
}

describe('the bus', () => {
  test('wakes those that wait for the upload that changed, with the state it is in now', async () => {
    const { bus, wakes, feed, open } = build();
    const started = bus.start();
    feed().changed(ID, FIELDS);
    feed().changed('another', FIELDS);
    expect(wakes).toMatchObject([{ id: ID, version: 8, percent: 70 }]);
    expect(bus.heard).toBe(2);
    open();
    await started;
  });

  test('has begun when its feed has', async () => {
    const { bus, open } = build();
    let hasBegun = false;
    const started = bus.start().then(() => (hasBegun = true));
    await turn();
    expect(hasBegun).toBe(false);
    open();
    await started;
  });

  test('wakes everybody when events may have been missed', async () => {
    const { bus, wakes, feed } = build();
    void bus.start();
    feed().missed();
    expect(wakes).toEqual([undefined]);
  });

  test('tells its feed who is waited for, and asks it to listen', async () => {
    const { bus, release, feed, subscribing } = build();
    expect(bus.listen([ID])).toBe(undefined);
    void bus.start();
    expect([bus.listen([ID]), bus.listen(['another'])]).toEqual([subscribing, undefined]);
    expect([feed().isWanted(ID), feed().isWanted('another')]).toEqual([true, false]);
    release();
    expect(feed().isWanted(ID)).toBe(false);
  });

  test.each([
    ['not even fields', 'progress'],
    ['a number', 50],
    ['null', null],
    ['fields of something else', { a: { b: 1 } }],
    ['no state', {}],
    ['an unknown state', { ...FIELDS, state: 'x' }],
  ])(
    'an event that it does not understand (%s) makes those that wait look for themselves, and ends nothing',
    (_what, fields) => {
      const { bus, wakes, feed, open } = build();
      void bus.start();
      feed().changed(ID, fields);
      feed().changed(ID, FIELDS);
      expect([wakes[0], wakes[1]?.version]).toEqual([undefined, 8]);
      open();
    },
  );

  test('closes its feed, and needs none to be closed', async () => {
    const { bus, open, closed } = build();
    await bus.close();
    const started = bus.start();
    open();
    await started;
    await bus.close();
    expect(closed()).toBe(1);
  });
});
