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
  const metrics = {
    deferredBegun: jest.fn(),
    deferredEnded: jest.fn<Metrics['deferredEnded']>(),
    woken: jest.fn<Metrics['woken']>(),
  };
  return { metrics, interceptor: heldMetrics(metrics as unknown as Metrics, preciseNowMs) };
}

describe('the metrics of held responses', () => {
  test('count a response from its beginning to its end, by route', () => {
    const { metrics, interceptor } = build();
    const held = heldBy(new DeferredResult(), 'timeout');
    interceptor.preProcess?.(held);
    expect(metrics.deferredBegun.mock.calls).toEqual([['/uploads/:id']]);
    interceptor.afterCompletion?.(held);
    expect(metrics.deferredEnded.mock.calls).toEqual([['/uploads/:id', 'timeout', expect.any(Number)]]);
    expect(metrics.woken).not.toHaveBeenCalled();
  });

  test('do not count a response that was resolved before it was held', () => {
    const { metrics, interceptor } = build();
    const result = new DeferredResult();
    result.setResult(1);
    interceptor.preProcess?.(heldBy(result));
    interceptor.afterCompletion?.(heldBy(result));
    expect([metrics.deferredBegun.mock.calls, metrics.deferredEnded.mock.calls]).toEqual([[], []]);
  });

  test('measure the time from the event that resolved the response', async () => {
    const { metrics, interceptor } = build();
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
    const [[latencyMs] = []] = metrics.woken.mock.calls;
    expect(latencyMs).toBeGreaterThanOrEqual(5);
  });
});

test('the log line of a request says how it was held, and nothing if it was not held', () => {
  const held = heldBy(new DeferredResult(), 'disconnected' as Held['ending']);
  expect(heldPart(held.ctx)).toEqual({});
  heldInAccessLog().postProcess?.(held, { kind: 'value', value: 1 });
  expect(heldPart(held.ctx)).toEqual({ heldMs: expect.any(Number), ending: 'disconnected' });
});
