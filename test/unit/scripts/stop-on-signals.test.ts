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

test('takes a signal that is sent twice within a second for one', () => {
  process.emit('SIGINT');
  nowMs = 999;
  process.emit('SIGINT');
  expect(orders).toEqual(['stop']);
});

test('takes any signal a second after the first for an order to kill', () => {
  process.emit('SIGTERM');
  nowMs = 1000;
  process.emit('SIGINT');
  expect(orders).toEqual(['stop', 'kill']);
});

test('gives the signals back', () => {
  release();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) expect(process.listenerCount(signal)).toBe(0);
});
