import { expect, test } from '@jest/globals';
import type { ProcessReport } from '../../../../src/wire/documents.ts';
import { totalsOf } from '../../../../src/page/operators/totals.ts';

function report(own: Partial<ProcessReport>): ProcessReport {
  const nothing = {
    held: {},
    running: 0,
    pausedBy: null,
    lastMinute: { received: 0, completed: 0, failed: 0 },
    wake: null,
  };
  return {
    id: 'x',
    role: 'api',
    host: 'h',
    pid: 1,
    version: '0.1.0',
    startedAt: '2026-03-14T08:00:00.000Z',
    ...nothing,
    ...own,
  };
}

test('the totals of no processes are zero', () => {
  expect(totalsOf([])).toEqual({
    held: 0,
    heldByRoute: [],
    running: 0,
    workers: 0,
    pausedWorkers: 0,
    lastMinute: { received: 0, completed: 0, failed: 0 },
    wake: null,
  });
});

test('the reports are added up, and the route with the most held responses comes first', () => {
  const totals = totalsOf([
    report({ held: { '/progress': 3, '/b': 4 }, lastMinute: { received: 5, completed: 0, failed: 1 } }),
    report({ held: { '/progress': 2, '/a': 4 }, lastMinute: { received: 1, completed: 0, failed: 0 } }),
    report({ role: 'worker', running: 2, lastMinute: { received: 0, completed: 6, failed: 1 } }),
  ]);
  expect(totals).toMatchObject({
    held: 13,
    running: 2,
    lastMinute: { received: 6, completed: 6, failed: 2 },
    wake: null,
  });
  expect(totals.heldByRoute).toEqual([
    ['/progress', 5],
    ['/a', 4],
    ['/b', 4],
  ]);
});

test('each percentile of the latency is the highest of any process', () => {
  const totals = totalsOf([
    report({ wake: { count: 9, p50Ms: 1, p99Ms: 20 } }),
    report({}),
    report({ wake: { count: 1, p50Ms: 2, p99Ms: 3 } }),
  ]);
  expect(totals.wake).toEqual({ p50Ms: 2, p99Ms: 20 });
});

test('paused workers are counted beside all workers', () => {
  const totals = totalsOf([report({}), report({ role: 'worker' }), report({ role: 'worker', pausedBy: 'storage' })]);
  expect(totals).toMatchObject({ workers: 2, pausedWorkers: 1 });
});
