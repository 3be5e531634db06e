import { describe, expect, jest, test } from '@jest/globals';
import type { Context } from 'koa';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { Held } from '../../../src/deferred/interceptor.ts';
import { heldInAccessLog, heldMetrics, heldPart } from '../../../src/http/held-interceptors.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import { waitForRecords } from '../../../src/record/record-wait.ts';
import { preciseNowMs } from '../../../src/queue/redis-clock.ts';
import { eventOf, ID, openRegistry } from '../record/states.ts';

function heldBy(result: DeferredResult, ending: Held['ending'] = 'value'): Held {
  const ctx = { _matchedRoute: '/uploads/:id', state: {} } as unknown as Context;
  return { ctx, result, ending, startedAtMs: performance.now() - 50 } as Held;
}

function build() {
  const told = {
    deferredBegun: jest.fn(),
    deferredEnded: jest.fn<Metrics['deferredEnded']>(),
    woken: jest.fn<Metrics['woken']>(),
  };
  return { told, interceptor: heldMetrics(told as unknown as Metrics, preciseNowMs) };
}

describe('the measure of held responses', () => {
  test('counts one from its beginning to its end, by route', () => {
    const { told, interceptor } = build();
    const held = heldBy(new DeferredResult(), 'timeout');
    interceptor.preProcess?.(held);
    expect(told.deferredBegun.mock.calls).toEqual([['/uploads/:id']]);
    interceptor.afterCompletion?.(held);
    expect(told.deferredEnded.mock.calls).toEqual([['/uploads/:id', 'timeout', expect.any(Number)]]);
    expect(told.woken).not.toHaveBeenCalled();
  });

  test('counts none that was resolved before it was held', () => {
    const { told, interceptor } = build();
    const result = new DeferredResult();
    result.setResult(1);
    interceptor.preProcess?.(heldBy(result));
    interceptor.afterCompletion?.(heldBy(result));
    expect([told.deferredBegun.mock.calls, told.deferredEnded.mock.calls]).toEqual([[], []]);
  });

  test('takes the time from the event that resolved it', async () => {
    const { told, interceptor } = build();
    const registry = openRegistry();
    const wait = {
      ids: [ID],
      timeoutMs: 1000,
      read: async () => undefined,
      decide: () => 'answer',
      timeoutValue: () => 'none',
    };
    const result = await waitForRecords<string>(registry, wait);
    const held = heldBy(result as DeferredResult);
    interceptor.preProcess?.(held);
    registry.wake(ID, eventOf({ eventAtMs: preciseNowMs() - 5 }));
    interceptor.afterCompletion?.(held);
    const [[latencyMs] = []] = told.woken.mock.calls;
    expect(latencyMs).toBeGreaterThanOrEqual(5);
  });
});

test('the line of a request says how it was held, and nothing where it was not', () => {
  const held = heldBy(new DeferredResult(), 'disconnected' as Held['ending']);
  expect(heldPart(held.ctx)).toEqual({});
  heldInAccessLog().postProcess?.(held, { kind: 'value', value: 1 });
  expect(heldPart(held.ctx)).toEqual({ heldMs: expect.any(Number), ending: 'disconnected' });
});
