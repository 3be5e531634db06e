import { describe, expect, jest, test } from '@jest/globals';
import type { Context } from 'koa';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { Held } from '../../../src/deferred/interceptor.ts';
import { heldInAccessLog, heldMetrics, heldPart, heldSpans } from '../../../src/http/held-interceptors.ts';
import { keepSpan } from '../../../src/http/request-scope.ts';
import type { Metrics } from '../../../src/telemetry/metrics.ts';
import type { TraceContext } from '../../../src/telemetry/trace-context.ts';
import { NO_SPAN, type Span } from '../../../src/telemetry/tracing.ts';
import { RE_READ, waitForRecords } from '../../../src/record/record-wait.ts';
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

/** Makes a span that records its calls. */
function fakeSpan() {
  const done: unknown[] = [];
  const span: Span = {
    ...NO_SPAN,
    isOn: true,
    child(name, start) {
      done.push(['child', name, start?.attributes]);
      return span;
    },
    link: ({ traceId }: TraceContext) => void done.push(['link', traceId]),
    set: (attributes) => void done.push(['set', attributes]),
    end: () => void done.push(['end']),
  };
  return { span, done };
}

describe('the span of a held response', () => {
  const [TRACE, OTHER] = ['a'.repeat(32), 'b'.repeat(32)];
  const traceOf = (traceId: string): string => `00-${traceId}-${'c'.repeat(16)}-01`;
  const OTHER_ID = ID.replace(/.$/, '2');

  async function heldWith(decide: () => string | typeof RE_READ | undefined) {
    const registry = openRegistry();
    const wait = { ids: [ID, OTHER_ID], timeoutMs: 1000, read: async () => undefined, decide, timeoutValue: () => '' };
    const held = { ...heldBy((await waitForRecords(registry, wait)) as DeferredResult), timeoutMs: 1000 };
    const { span, done } = fakeSpan();
    keepSpan(held.ctx, span);
    const interceptor = heldSpans();
    interceptor.preProcess?.(held);
    return { registry, done, end: () => interceptor.postProcess?.(held, { kind: 'value', value: '' }) };
  }

  test('has a link to each upload whose event resolved the response, and is no child of it', async () => {
    const decisions = [RE_READ, undefined, 'answer'] as const;
    let events = 0;
    const { registry, done, end } = await heldWith(() => decisions[events++]);
    registry.wake(ID, eventOf({ trace: traceOf(TRACE) }));
    registry.wake(ID, eventOf({ trace: traceOf('d'.repeat(32)) }));
    registry.wake(OTHER_ID, eventOf({ id: OTHER_ID, trace: traceOf(OTHER) }));
    end();
    expect(done).toEqual([
      ['child', 'held response', { 'deferred_uploads.timeout_ms': 1000 }],
      ['link', TRACE],
      ['link', OTHER],
      ['set', { 'deferred_uploads.ending': 'value' }],
      ['end'],
    ]);
  });

  test('has no link if the upload was not traced, or its position is malformed', async () => {
    const { registry, done, end } = await heldWith(() => RE_READ);
    registry.wake(ID, eventOf());
    registry.wake(ID, eventOf({ trace: 'malformed' }));
    end();
    expect(done.map((step) => (step as string[])[0])).toEqual(['child', 'set', 'end']);
  });

  test('does not exist if the response was resolved before it was held, or is not traced', () => {
    const result = new DeferredResult();
    result.setResult(1);
    const { span, done } = fakeSpan();
    const [resolved, untraced] = [heldBy(result), heldBy(new DeferredResult())];
    keepSpan(resolved.ctx, span);
    for (const held of [resolved, untraced]) {
      const interceptor = heldSpans();
      interceptor.preProcess?.(held);
      interceptor.postProcess?.(held, { kind: 'value', value: 1 });
    }
    expect(done).toEqual([]);
  });
});

test('the log line of a request says how it was held, and nothing if it was not held', () => {
  const held = heldBy(new DeferredResult(), 'disconnected' as Held['ending']);
  expect(heldPart(held.ctx)).toEqual({});
  heldInAccessLog().postProcess?.(held, { kind: 'value', value: 1 });
  expect(heldPart(held.ctx)).toEqual({ heldMs: expect.any(Number), ending: 'disconnected' });
});
