import { describe, expect, jest, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import { eventTimeOf, RE_READ, waitForRecords, type RecordWait } from '../../../src/record/record-wait.ts';
import { complete, eventOf, ID, openRegistry, timeOut } from './states.ts';

/** Makes a read that the test answers. */
function manualRead() {
  const asked: { answer: (value: string | undefined) => void; fail: (error: Error) => void }[] = [];
  const read = () =>
    new Promise<string | undefined>((resolve, reject) => asked.push({ answer: resolve, fail: reject }));
  return { asked, read };
}

/** Makes a read that finds nothing at first and fails from then on. */
function failing(): () => Promise<undefined> {
  let reads = 0;
  return async () =>
    reads++ === 0 ? undefined : await Promise.reject(new ServiceError('service_unavailable', 'Away.'));
}

function waitFor(more: Partial<RecordWait<string>> = {}): RecordWait<string> {
  return {
    ids: [ID],
    timeoutMs: 1000,
    read: async () => undefined,
    decide: () => RE_READ,
    timeoutValue: () => 'timed out',
    ...more,
  };
}

describe('the order of steps', () => {
  test('registers the waiter before the first read', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read }));
    expect([registry.has(ID), asked.length]).toEqual([true, 1]);
    asked[0]?.answer('seen');
    const result = await holding;
    expect(result.getResult()).toBe('seen');
    complete(result);
  });

  test('reads again after a wake during the first read', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read }));
    registry.wake(ID, undefined);
    asked[0]?.answer(undefined);
    await turn();
    expect(asked).toHaveLength(2);
    asked[1]?.answer('found');
    expect((await holding).getResult()).toBe('found');
    complete(await holding);
  });

  test('answers with an event that decides during the first read', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read, decide: () => 'by event' }));
    registry.wake(ID, eventOf());
    asked[0]?.answer('by look');
    expect((await holding).getResult()).toBe('by event');
    complete(await holding);
  });

  test('reads only one more time after ten wakes during a read', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read }));
    for (let wake = 0; wake < 10; wake++) registry.wake(ID, undefined);
    asked[0]?.answer(undefined);
    await turn();
    asked[1]?.answer(undefined);
    complete(await holding);
    expect(asked).toHaveLength(2);
  });

  test('reads once and waits if there is no wake', async () => {
    const registry = openRegistry();
    let reads = 0;
    const result = await waitForRecords(registry, waitFor({ read: async () => void reads++ as undefined }));
    expect([reads, result.hasResult(), registry.size]).toEqual([1, false, 1]);
    complete(result);
  });
});

describe('a wake while waiting', () => {
  test('changes nothing if the event does not decide', async () => {
    const registry = openRegistry();
    let reads = 0;
    const result = await waitForRecords(
      registry,
      waitFor({ decide: () => undefined, read: async () => void reads++ as undefined }),
    );
    registry.wake(ID, eventOf());
    await turn();
    expect([reads, result.hasResult()]).toEqual([1, false]);
    complete(result);
  });

  test('without an event, after a gap, causes a read', async () => {
    const registry = openRegistry();
    const answers = [undefined, 'found'];
    const result = await waitForRecords(
      registry,
      waitFor({ decide: () => undefined, read: async () => answers.shift() }),
    );
    registry.wakeAll();
    await turn();
    expect(result.getResult()).toBe('found');
    complete(result);
  });

  test('keeps waiting if its read fails, and the next wake reads again', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read }));
    asked[0]?.answer(undefined);
    const result = await holding;
    registry.wake(ID, undefined);
    asked[1]?.fail(new Error('Redis is away'));
    await turn();
    expect(result.hasResult()).toBe(false);
    registry.wake(ID, undefined);
    asked[2]?.answer('found');
    await turn();
    expect(result.getResult()).toBe('found');
    complete(result);
  });

  test('repeats a read that fails because Redis is away, until the end of the wait', async () => {
    const registry = openRegistry();
    const answers: (string | undefined | Error)[] = [
      undefined,
      new ServiceError('service_unavailable', 'Away.'),
      new ServiceError('service_unavailable', 'Away.'),
      'found',
    ];
    const read = async () => {
      const answer = answers.shift();
      return answer instanceof Error ? await Promise.reject(answer) : answer;
    };
    const [result, ended] = [
      await waitForRecords(registry, waitFor({ read })),
      await waitForRecords(registry, waitFor({ read: failing() })),
    ];
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    try {
      registry.wakeAll();
      await turn();
      expect(jest.getTimerCount()).toBe(2);
      complete(ended);
      expect(jest.getTimerCount()).toBe(1);
      await jest.advanceTimersByTimeAsync(750);
      expect(result.hasResult()).toBe(false);
      await jest.advanceTimersByTimeAsync(750);
      expect([result.getResult(), jest.getTimerCount()]).toEqual(['found', 0]);
    } finally {
      jest.useRealTimers();
    }
    complete(result);
  });

  test('is not lost during a read that fails', async () => {
    const registry = openRegistry();
    const { asked, read } = manualRead();
    const holding = waitForRecords(registry, waitFor({ read }));
    asked[0]?.answer(undefined);
    const result = await holding;
    registry.wake(ID, undefined);
    registry.wake(ID, undefined);
    asked[1]?.fail(new Error('Redis is away'));
    await turn();
    expect(asked).toHaveLength(3);
    asked[2]?.answer('found');
    await turn();
    expect(result.getResult()).toBe('found');
    complete(result);
  });

  test('reads nothing after the answer', async () => {
    const registry = openRegistry();
    let reads = 0;
    const result = await waitForRecords(
      registry,
      waitFor({ read: async () => (++reads > 1 ? 'late' : undefined), decide: () => 'by event' }),
    );
    registry.wake(ID, eventOf());
    registry.wake(ID, eventOf());
    expect([result.getResult(), reads]).toEqual(['by event', 1]);
    complete(result);
  });
});

describe('the timeout', () => {
  test('reads the record again and answers with the change', async () => {
    const answers = [undefined, 'found at the end'];
    const result = await waitForRecords(openRegistry(), waitFor({ read: async () => answers.shift() }));
    expect(await timeOut(result)).toBe('found at the end');
    complete(result);
  });

  test('answers with the timeout value if there is no change', async () => {
    const result = await waitForRecords(openRegistry(), waitFor());
    expect(await timeOut(result)).toBe('timed out');
    complete(result);
  });

  test('answers with the last state if Redis is away', async () => {
    let reads = 0;
    const read = async () => (++reads === 1 ? undefined : await Promise.reject<undefined>(new Error('Redis is away')));
    const result = await waitForRecords(openRegistry(), waitFor({ read }));
    expect(await timeOut(result)).toBe('timed out');
    complete(result);
  });

  test('answers with the last state if Redis is too slow', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const { asked, read } = manualRead();
      const holding = waitForRecords(openRegistry(), waitFor({ read }));
      asked[0]?.answer(undefined);
      const result = await holding;
      const answered = timeOut(result);
      await turn();
      expect(asked).toHaveLength(2);
      jest.advanceTimersByTime(2000);
      expect(await answered).toBe('timed out');
      asked[1]?.answer('too late');
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the release', () => {
  test.each([
    ['an answer by event', (registry: ReturnType<typeof openRegistry>) => registry.wake(ID, eventOf())],
    ['a timeout, a client gone, a shutdown', () => undefined],
  ])('happens at the end of the response, after %s', async (_how, happens) => {
    const registry = openRegistry();
    const result = await waitForRecords(registry, waitFor({ decide: () => 'by event' }));
    happens(registry);
    complete(result);
    expect([registry.size, registry.has(ID)]).toEqual([0, false]);
    registry.wake(ID, eventOf());
  });

  test('happens at once if the first read throws, which is the answer', async () => {
    const registry = openRegistry();
    const read = async () => await Promise.reject<undefined>(new Error('no such upload'));
    await expect(waitForRecords(registry, waitFor({ read }))).rejects.toThrow('no such upload');
    expect([registry.size, registry.has(ID)]).toEqual([0, false]);
  });

  test('removes all keys', async () => {
    const registry = openRegistry();
    const ids = Array.from({ length: 100 }, (_, index) => `id-${index}`);
    const results = await Promise.all([
      waitForRecords(registry, waitFor({ ids })),
      waitForRecords(registry, waitFor({ ids: ids.slice(50) })),
    ]);
    for (const result of results) complete(result);
    expect([registry.size, ids.filter((id) => registry.has(id))]).toEqual([0, []]);
  });
});

test('a wait uses the requested timeout, or leaves it to the manager', async () => {
  const [asked, open] = await Promise.all([
    waitForRecords(openRegistry(), waitFor({ timeoutMs: 5 })),
    waitForRecords(openRegistry(), waitFor({ timeoutMs: undefined })),
  ]);
  expect([asked.timeoutMs, open.timeoutMs]).toEqual([5, undefined]);
});

describe('the time of the event that resolved it', () => {
  test('is the time of the first event that decided', async () => {
    const registry = openRegistry();
    const result = await waitForRecords(registry, waitFor({ decide: () => 'by event' }));
    registry.wake(ID, eventOf({ eventAtMs: 100 }));
    registry.wake(ID, eventOf({ eventAtMs: 200 }));
    expect(eventTimeOf(result)).toBe(100);
    complete(result);
  });

  test('is undefined if no event decided', async () => {
    const result = await waitForRecords(openRegistry(), waitFor({ read: async () => 'seen' }));
    expect(eventTimeOf(result)).toBeUndefined();
    complete(result);
  });
});
