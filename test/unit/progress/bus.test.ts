import { describe, expect, test } from '@jest/globals';
import { ProgressBus } from '../../../src/progress/bus.ts';
import type { ProgressState } from '../../../src/progress/progress.ts';
import type { EventListener } from '../../../src/queue/event-stream.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { ID, openRegistry } from './states.ts';

const FIELDS = { state: 'processing', version: '8', percent: '70', updatedAt: '5', phaseStartedAt: '5' };

function build() {
  const registry = openRegistry();
  let heard: EventListener | undefined;
  let closed = 0;
  let opened: () => void = () => undefined;
  const bus = new ProgressBus(
    registry,
    (listener) => {
      heard = listener;
      return new Promise((resolve) => (opened = () => resolve({ close: async () => void closed++ })));
    },
    silentLog,
  );
  const wakes: (ProgressState | undefined)[] = [];
  const release = registry.register([ID], (event) => wakes.push(event));
  return { bus, registry, release, wakes, closed: () => closed, open: () => opened(), stream: () => heard as EventListener };
}

describe('the bus', () => {
  test('wakes those that wait for the upload that changed, with the state it is in now', async () => {
    const { bus, wakes, stream, open } = build();
    const started = bus.start();
    stream().changed(ID, FIELDS);
    stream().changed('another', FIELDS);
    expect(wakes).toMatchObject([{ id: ID, version: 8, percent: 70 }]);
    expect(bus.heard).toBe(2);
    open();
    await started;
  });

  test('wakes all that came before it listened, once it does', async () => {
    const { bus, wakes, open } = build();
    const started = bus.start();
    expect(wakes).toEqual([]);
    open();
    await started;
    expect(wakes).toEqual([undefined]);
  });

  test('wakes everybody after a gap in the stream', async () => {
    const { bus, wakes, stream, open } = build();
    const started = bus.start();
    open();
    await started;
    stream().resumed();
    expect(wakes).toEqual([undefined, undefined]);
  });

  test.each([['not even fields', 'progress'], ['a number', 50], ['null', null], ['fields of something else', { a: { b: 1 } }], ['no state', {}], ['an unknown state', { ...FIELDS, state: 'x' }]])(
    'an event that it does not understand (%s) makes those that wait look for themselves, and ends nothing',
    (_what, fields) => {
      const { bus, wakes, stream, open } = build();
      void bus.start();
      stream().changed(ID, fields);
      stream().changed(ID, FIELDS);
      expect([wakes[0], wakes[1]?.version]).toEqual([undefined, 8]);
      open();
    },
  );

  test('closes its stream, and needs none to be closed', async () => {
    const { bus, open, closed } = build();
    await bus.close();
    const started = bus.start();
    open();
    await started;
    await bus.close();
    expect(closed()).toBe(1);
  });
});
