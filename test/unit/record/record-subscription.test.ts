import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import { RecordSubscription, type RecordObserver } from '../../../src/record/record-subscription.ts';
import { eventOf, ID, openRegistry } from './states.ts';

const AWAY = new ServiceError('service_unavailable', 'Away.');
const OTHER = 'other';

/** An observer whose reads are answered by the test. */
class ManualObserver implements RecordObserver {
  readonly ids: readonly string[];
  isDone = false;
  /** True if an event decides without a read. */
  decides = false;
  readonly reads: { ids: readonly string[]; eventAtMs: number | undefined; end: (error?: Error) => void }[] = [];

  constructor(ids: readonly string[] = [ID]) {
    this.ids = ids;
  }

  read(ids: readonly string[], eventAtMs: number | undefined): Promise<void> {
    return new Promise((resolve, reject) =>
      this.reads.push({ ids, eventAtMs, end: (error) => (error === undefined ? resolve() : reject(error)) }),
    );
  }

  changed(): boolean {
    return this.decides;
  }

  get askedIds(): (readonly string[])[] {
    return this.reads.map(({ ids }) => ids);
  }
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

async function openWith(observer: ManualObserver, registry = openRegistry()) {
  const subscription = new RecordSubscription(registry, observer);
  const opened = subscription.open();
  observer.reads[0]?.end();
  await opened;
  return { registry, subscription };
}

describe('opening', () => {
  test('registers before the first read, and reads all ids once', async () => {
    const [observer, registry] = [new ManualObserver([ID, OTHER]), openRegistry()];
    const subscription = new RecordSubscription(registry, observer);
    const opened = subscription.open();
    expect([registry.has(OTHER), observer.askedIds]).toEqual([true, [[ID, OTHER]]]);
    observer.reads[0]?.end();
    await opened;
    expect(observer.reads).toHaveLength(1);
    subscription.close();
    expect(registry.size).toBe(0);
  });

  test('waits for the feed to listen before it reads, and a wake before that causes no second read', async () => {
    let listens = (): void => undefined;
    const registry = openRegistry(() => new Promise((resolve) => (listens = resolve)));
    const observer = new ManualObserver();
    const subscription = new RecordSubscription(registry, observer);
    const opened = subscription.open();
    registry.wakeAll();
    await turn();
    expect(observer.reads).toHaveLength(0);
    listens();
    await turn();
    observer.reads[0]?.end();
    await opened;
    expect(observer.reads).toHaveLength(1);
    subscription.close();
  });

  test('rejects with the error of the first read and releases everything', async () => {
    const [observer, registry] = [new ManualObserver(), openRegistry()];
    const opened = new RecordSubscription(registry, observer).open();
    observer.reads[0]?.end(AWAY);
    await expect(opened).rejects.toBe(AWAY);
    expect(registry.size).toBe(0);
  });

  test('reads again after a pause if it may not fail', async () => {
    const [observer, registry] = [new ManualObserver(), openRegistry()];
    const subscription = new RecordSubscription(registry, observer);
    const opened = subscription.open('retries');
    observer.reads[0]?.end(AWAY);
    await opened;
    await jest.advanceTimersByTimeAsync(750);
    expect(observer.reads).toHaveLength(2);
    observer.reads[1]?.end();
    subscription.close();
  });
});

describe('a wake', () => {
  test('by an event that decides reads nothing', async () => {
    const observer = new ManualObserver();
    const { registry, subscription } = await openWith(observer);
    observer.decides = true;
    registry.wake(ID, eventOf());
    expect(observer.reads).toHaveLength(1);
    subscription.close();
  });

  test('by an event that does not decide reads only its own upload', async () => {
    const observer = new ManualObserver([ID, OTHER]);
    const { registry, subscription } = await openWith(observer);
    registry.wake(OTHER, eventOf({ id: OTHER, eventAtMs: 5 }));
    expect(observer.reads[1]).toMatchObject({ ids: [OTHER], eventAtMs: 5 });
    observer.reads[1]?.end();
    subscription.close();
  });

  test('after a gap reads all uploads', async () => {
    const observer = new ManualObserver([ID, OTHER]);
    const { registry, subscription } = await openWith(observer);
    registry.wakeAll();
    expect(observer.askedIds[1]).toEqual([ID, OTHER]);
    observer.reads[1]?.end();
    subscription.close();
  });

  test('during a read causes one more read, of the uploads that were woken', async () => {
    const observer = new ManualObserver([ID, OTHER, 'third']);
    const { registry, subscription } = await openWith(observer);
    registry.wake(ID, eventOf());
    for (let wakes = 0; wakes < 5; wakes += 1) registry.wake(OTHER, eventOf({ id: OTHER }));
    registry.wake(ID, eventOf());
    observer.reads[1]?.end();
    await turn();
    expect(observer.askedIds.slice(1)).toEqual([[ID], [OTHER, ID]]);
    observer.reads[2]?.end();
    await turn();
    expect(observer.reads).toHaveLength(3);
    subscription.close();
  });

  test('reads nothing once the observer is done', async () => {
    const observer = new ManualObserver();
    const { registry, subscription } = await openWith(observer);
    observer.isDone = true;
    registry.wakeAll();
    expect(observer.reads).toHaveLength(1);
    subscription.close();
  });
});

describe('a read that fails', () => {
  test('while Redis is away is tried again until it succeeds, together with newer wakes', async () => {
    const observer = new ManualObserver([ID, OTHER]);
    const { registry, subscription } = await openWith(observer);
    registry.wake(ID, eventOf());
    registry.wake(OTHER, eventOf({ id: OTHER }));
    observer.reads[1]?.end();
    await turn();
    observer.reads[2]?.end(AWAY);
    await turn();
    registry.wake(ID, eventOf());
    observer.reads[3]?.end(AWAY);
    await jest.advanceTimersByTimeAsync(750);
    expect(observer.askedIds.slice(2)).toEqual([[OTHER], [OTHER, ID], [OTHER, ID]]);
    observer.reads[4]?.end();
    subscription.close();
  });

  test('for another reason waits for the next wake', async () => {
    const observer = new ManualObserver();
    const { registry, subscription } = await openWith(observer);
    registry.wakeAll();
    observer.reads[1]?.end(new Error('damaged'));
    await jest.advanceTimersByTimeAsync(5000);
    expect(observer.reads).toHaveLength(2);
    registry.wakeAll();
    expect(observer.reads).toHaveLength(3);
    observer.reads[2]?.end();
    subscription.close();
  });

  test('is not tried again after the close', async () => {
    const observer = new ManualObserver();
    const { registry, subscription } = await openWith(observer);
    registry.wakeAll();
    observer.reads[1]?.end(AWAY);
    await turn();
    expect(jest.getTimerCount()).toBe(1);
    subscription.close();
    expect([jest.getTimerCount(), registry.size]).toEqual([0, 0]);
  });
});
