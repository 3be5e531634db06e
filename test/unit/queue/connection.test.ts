import { describe, expect, jest, test } from '@jest/globals';
import { RedisRecordStore, type Redis } from '../../../src/queue/connection.ts';

describe('the store of records', () => {
  test('reports a Redis that does not answer, although its connection is open', async () => {
    let answer: (value: string | null) => void = () => undefined;
    const get = () => new Promise<string | null>((resolve) => (answer = resolve));
    const store = new RedisRecordStore({ status: 'ready', get } as unknown as Redis);
    let nowMs = 1000;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    try {
      const read = store.get('key');
      nowMs += 499;
      expect(store.isAnswering).toBe(true);
      nowMs += 1;
      expect(store.isAnswering).toBe(false);
      answer(null);
      await read;
      expect(store.isAnswering).toBe(true);
    } finally {
      clock.mockRestore();
    }
  });

  test('reports a connection that is not open', () => {
    expect(new RedisRecordStore({ status: 'reconnecting' } as unknown as Redis).isAnswering).toBe(false);
  });
});
