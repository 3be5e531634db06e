import { describe, expect, jest, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { openWaitingConnection, RedisRecordStore, type Redis } from '../../../src/queue/connection.ts';
import type { Logger } from '../../../src/telemetry/log.ts';
import { eventually } from '../../helpers/eventually.ts';
import { silentLog } from '../../helpers/record-space.ts';

/** The first words of the reply of Redis 7 to a client of another machine. Redis closes the connection after it. */
const DENIED = '-DENIED Redis is running in protected mode because no password is set for the default user.\r\n';

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

describe('a connection to Redis', () => {
  test('logs once that Redis is in protected mode', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).write(DENIED);
      socket.destroySoon();
    });
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const error = jest.fn();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connection = openWaitingConnection(`redis://127.0.0.1:${port}`, { ...silentLog, error } as unknown as Logger);
    try {
      await eventually('three connections', () => connections >= 3);
      expect(error.mock.calls).toEqual([['Redis is in protected mode, set a password']]);
    } finally {
      await eventually('the pause before the next try', () => connection.status === 'reconnecting');
      connection.disconnect();
      server.close();
      warn.mockRestore();
    }
  });
});
