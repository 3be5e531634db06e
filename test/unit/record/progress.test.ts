import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  estimateRemainingMs,
  linksOf,
  processingPercent,
  queuedPercent,
  receivingPercent,
  toProgress,
} from '../../../src/record/progress.ts';
import { ID, recordOf } from './states.ts';

const reading = { nowMs: 6000, queuePosition: 2 };
const fraction = fc.double({ min: -0.5, max: 1.5, noNaN: true });

describe('the percent', () => {
  test.each([
    [0, 1000, 0],
    [500, 1000, 15],
    [1000, 1000, 30],
    [2000, 1000, 30],
    [1, 3, 10],
    [5, null, 0],
    [5, 0, 0],
    [0, 0, 0],
  ])('of %d bytes of %s received is %d', (received, total, percent) => {
    expect(receivingPercent(received, total)).toBe(percent);
  });

  test.each([
    [0, 30],
    [0.5, 65],
    [1, 99.9],
    [-1, 30],
    [2, 99.9],
    [0.9999, 99.9],
  ])('of a fraction of %d processed is %d', (done, percent) => {
    expect(processingPercent(done)).toBe(percent);
  });

  test('grows from phase to phase and never reaches 100 before the end', () => {
    fc.assert(
      fc.property(
        fraction,
        fraction,
        fc.nat(10_000),
        fc.nat(10_000),
        fc.integer({ min: 1, max: 10_000 }),
        (a, b, received, more, total) => {
          const [less, most] = [Math.min(a, b), Math.max(a, b)];
          expect(processingPercent(most)).toBeGreaterThanOrEqual(processingPercent(less));
          expect(receivingPercent(received + more, total)).toBeGreaterThanOrEqual(receivingPercent(received, total));
          expect(queuedPercent()).toBeGreaterThanOrEqual(receivingPercent(received, total));
          expect(processingPercent(less)).toBeGreaterThanOrEqual(queuedPercent());
          expect(processingPercent(most)).toBeLessThan(100);
        },
      ),
    );
  });

  test('has one decimal', () => {
    fc.assert(fc.property(fraction, (done) => expect(String(processingPercent(done))).toMatch(/^\d{1,2}(\.\d)?$/)));
  });
});

describe('the time that is left', () => {
  test('while receiving follows the bytes, at the rate since its beginning', () => {
    const receiving = recordOf({ state: 'receiving', receivedBytes: 250, totalBytes: 1000, phaseStartedAtMs: 1000 });
    expect(estimateRemainingMs(receiving, 2000)).toBe(3000);
    expect(estimateRemainingMs({ ...receiving, receivedBytes: 1000 }, 2000)).toBe(0);
    expect(estimateRemainingMs({ ...receiving, receivedBytes: 1500 }, 2000)).toBe(0);
  });

  test('while processing follows only the percent of this attempt', () => {
    const processing = recordOf({ percent: 75, phaseStartPercent: 50, phaseStartedAtMs: 1000 });
    expect(estimateRemainingMs(processing, 2000)).toBe(1000);
    expect(estimateRemainingMs({ ...processing, percent: 50 }, 2000)).toBeNull();
  });

  test.each([
    ['without a total', { state: 'receiving', totalBytes: null }, 9000],
    ['without a byte', { state: 'receiving', receivedBytes: 0 }, 9000],
    ['too early', { state: 'receiving', receivedBytes: 500 }, 1199],
    ['while waiting', { state: 'queued' }, 9000],
    ['with a clock that went back', {}, 500],
  ] as const)('is unknown %s', (_when, more, nowMs) => {
    expect(estimateRemainingMs(recordOf(more), nowMs)).toBeNull();
  });

  test.each(['completed', 'failed', 'cancelled', 'discarded'] as const)('is none when %s', (state) => {
    expect(estimateRemainingMs(recordOf({ state }), 9000)).toBe(0);
  });

  test('is never negative, even if clocks differ', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('receiving', 'processing', 'queued', 'failed'),
        fc.nat(100),
        fc.integer(),
        fc.nat(2000),
        (state, percent, nowMs, receivedBytes) => {
          const left = estimateRemainingMs(recordOf({ state, percent, receivedBytes }), nowMs);
          expect(left === null || (Number.isInteger(left) && left >= 0)).toBe(true);
        },
      ),
    );
  });
});

describe('the document', () => {
  test('has all fields of the contract', () => {
    expect(toProgress(recordOf(), reading)).toEqual({
      id: ID,
      state: 'processing',
      version: 7,
      percent: 65,
      stage: 'resize',
      bytes: { received: 1000, total: 1000 },
      attempt: 1,
      queuePosition: null,
      etaMs: 5000,
      updatedAt: '1970-01-01T00:00:05.000Z',
      final: false,
      timedOut: false,
      links: linksOf(ID, 'public', true),
    });
  });

  test('has a position in the queue only while it is queued', () => {
    expect(toProgress(recordOf({ state: 'queued' }), reading).queuePosition).toBe(2);
    expect(toProgress(recordOf({ state: 'completed' }), reading).queuePosition).toBeNull();
  });

  test('counts only attempts since the file was last sent', () => {
    expect(toProgress(recordOf({ attempt: 7, attemptBase: 5 }), reading).attempt).toBe(2);
  });

  test('has timedOut in a timeout value', () => {
    expect(toProgress(recordOf(), { ...reading, timedOut: true }).timedOut).toBe(true);
  });

  test.each([
    ['completed', true],
    ['failed', true],
    ['cancelled', true],
    ['discarded', true],
    ['receiving', false],
    ['queued', false],
    ['processing', false],
  ] as const)('%s is final: %s', (state, final) => {
    expect(toProgress(recordOf({ state }), reading).final).toBe(final);
  });
});

describe('links', () => {
  test('are absolute paths, and the public id only leads to variants', () => {
    const links = linksOf(ID, 'public', true);
    for (const [name, path] of Object.entries(links))
      expect([name, path.startsWith(`/uploads/${ID}`)]).toEqual([name, name !== 'variants']);
    expect(links.variants).toBe('/variants/public');
  });

  test('include the content once it is stored', () => {
    expect([linksOf(ID, 'p', true).content, linksOf(ID, 'p', false).content]).toEqual([
      `/uploads/${ID}/content`,
      undefined,
    ]);
  });
});
