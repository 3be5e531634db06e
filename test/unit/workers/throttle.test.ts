import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createThrottle, type ThrottleClock } from '../../../workers/throttle.ts';

interface ManualClock extends ThrottleClock {
  advance(durationMs: number): void;
  pending(): number;
}

function manualClock(): ManualClock {
  let now = 0;
  let timers: { atMs: number; call: () => void }[] = [];
  return {
    nowMs: () => now,
    after(delayMs, call) {
      const timer = { atMs: now + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(durationMs) {
      const endMs = now + durationMs;
      for (;;) {
        const due = timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) {
          break;
        }
        timers = timers.filter((timer) => timer !== due);
        now = due.atMs;
        due.call();
      }
      now = endMs;
    },
    pending: () => timers.length,
  };
}

interface Report {
  stage: string;
  value: number;
}

function build() {
  const clock = manualClock();
  const sent: (Report & { atMs: number })[] = [];
  const throttle = createThrottle<Report>({
    isUrgent: (next, last) => next.stage !== last.stage,
    emit: (report) => sent.push({ ...report, atMs: clock.nowMs() }),
    clock,
  });
  const push = (value: number, stage = 'a') => throttle.push({ stage, value });
  return { clock, sent, throttle, push, values: () => sent.map((report) => report.value) };
}

describe('throttle', () => {
  test('sends the first value at once', () => {
    const { push, values } = build();
    push(1);
    expect(values()).toEqual([1]);
  });

  test('sends the newest of the values in one interval, at the end of the interval', () => {
    const { push, values, clock } = build();
    push(1);
    push(2);
    push(3);
    clock.advance(99);
    expect(values()).toEqual([1]);
    clock.advance(1);
    expect(values()).toEqual([1, 3]);
  });

  test('sends an urgent value at once in place of the waiting one', () => {
    const { push, values, clock } = build();
    push(1);
    push(2);
    push(3, 'b');
    expect(values()).toEqual([1, 3]);
    expect(clock.pending()).toBe(0);
  });

  test('starts a new interval with an urgent value', () => {
    const { push, values, clock } = build();
    push(1);
    clock.advance(90);
    push(2, 'b');
    push(3, 'b');
    clock.advance(99);
    expect(values()).toEqual([1, 2]);
    clock.advance(1);
    expect(values()).toEqual([1, 2, 3]);
  });

  test('judges urgency by the last value pushed, sent or not', () => {
    const { push, values } = build();
    push(1);
    push(2, 'b');
    push(3);
    expect(values()).toEqual([1, 2, 3]);
  });

  test('sends the waiting value once at flush', () => {
    const { push, values, clock, throttle } = build();
    push(1);
    push(2);
    throttle.flush();
    throttle.flush();
    clock.advance(1000);
    expect(values()).toEqual([1, 2]);
  });

  test('sends the waiting value at close, leaves no timer and ignores later values', () => {
    const { push, values, clock, throttle } = build();
    push(1);
    push(2);
    throttle.close();
    push(3, 'b');
    throttle.close();
    clock.advance(1000);
    expect(values()).toEqual([1, 2]);
    expect(clock.pending()).toBe(0);
  });

  test('sends the next value after the receiver has failed', () => {
    const clock = manualClock();
    const sent: number[] = [];
    let failures = 1;
    const throttle = createThrottle<number>({
      emit(value) {
        if (failures-- > 0) {
          throw new Error('receiver');
        }
        sent.push(value);
      },
      clock,
    });
    expect(() => throttle.push(1)).toThrow('receiver');
    throttle.push(2);
    throttle.close();
    expect(sent).toEqual([2]);
  });

  test('sends changes of stage at once, others 100 ms apart, in order, and always the last one', () => {
    const pushes = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 150 }), stage: fc.constantFrom('a', 'b') }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(pushes, (list) => {
        const { push, sent, clock, throttle } = build();
        list.forEach(({ waitMs, stage }, index) => {
          clock.advance(waitMs);
          push(index, stage);
          if (index > 0 && list[index - 1]?.stage !== stage) {
            expect(sent.at(-1)?.value).toBe(index);
          }
        });
        throttle.close();
        expect(clock.pending()).toBe(0);
        expect(sent.at(-1)?.value).toBe(list.length - 1);
        sent.slice(1, -1).forEach((report, index) => {
          const before = sent[index];
          expect(report.value).toBeGreaterThan(before?.value ?? Infinity);
          if (report.stage === before?.stage && list[report.value - 1]?.stage === report.stage) {
            expect(report.atMs - before.atMs).toBeGreaterThanOrEqual(100);
          }
        });
      }),
    );
  });

  test('sends the last value by the real clock too', async () => {
    const sent: number[] = [];
    await new Promise<void>((resolve) => {
      const throttle = createThrottle<number>({
        intervalMs: 5,
        emit(value) {
          sent.push(value);
          if (value === 2) {
            resolve();
          }
        },
      });
      throttle.push(1);
      throttle.push(2);
    });
    expect(sent).toEqual([1, 2]);
  });
});
