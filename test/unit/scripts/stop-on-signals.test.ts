import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { stopOnSignals } from '../../../scripts/stop-on-signals.ts';

let nowMs: number;
let orders: string[];
let release: () => void;

beforeEach(() => {
  [nowMs, orders] = [0, []];
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  release = stopOnSignals({ stop: async () => void orders.push('stop'), kill: () => void orders.push('kill') });
});
afterEach(() => {
  release();
  jest.restoreAllMocks();
});

test('a signal that is sent twice within a second counts as one', () => {
  process.emit('SIGINT');
  nowMs = 999;
  process.emit('SIGINT');
  expect(orders).toEqual(['stop']);
});

test('a second signal after more than a second kills the children', () => {
  process.emit('SIGTERM');
  nowMs = 1000;
  process.emit('SIGINT');
  expect(orders).toEqual(['stop', 'kill']);
});

test('a hangup stops nothing if it asks to read a file again', () => {
  release();
  release = stopOnSignals({ stop: async () => void orders.push('stop'), kill: () => void orders.push('kill') }, true);
  process.emit('SIGHUP', 'SIGHUP');
  expect(orders).toEqual([]);
  process.emit('SIGTERM', 'SIGTERM');
  expect(orders).toEqual(['stop']);
});

test('the returned function removes the signal handlers', () => {
  release();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) expect(process.listenerCount(signal)).toBe(0);
});
