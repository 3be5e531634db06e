import type { Context } from 'koa';
import type { DeferredInterceptor, Held } from '../deferred/interceptor.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { causesOf, eventTimeOf } from '../record/record-wait.ts';
import { decodeTraceContext } from '../telemetry/trace-context.ts';
import type { Span } from '../telemetry/tracing.ts';
import { routeOf } from './request-end.ts';
import { spanOf } from './request-scope.ts';

/**
 * Measures held responses by route: how many, how each ended, for how long it was held, and the time from the creation
 * of an event to the last byte of the answer. A response that was resolved before it was held is not counted.
 * @param nowMs the clock that sets the time of an event.
 */
export function heldMetrics(metrics: Metrics, nowMs: () => number): DeferredInterceptor {
  const routes = new WeakMap<Held, string>();
  return {
    preProcess(held) {
      if (held.result.isSetOrExpired()) return;
      const route = routeOf(held.ctx);
      routes.set(held, route);
      metrics.deferredBegun(route);
    },
    afterCompletion(held) {
      const route = routes.get(held);
      if (route === undefined) return;
      metrics.deferredEnded(route, held.ending ?? 'none', heldMs(held));
      const eventAtMs = eventTimeOf(held.result);
      if (eventAtMs !== undefined && held.ending === 'value') metrics.woken(Math.max(0, nowMs() - eventAtMs));
    },
  };
}

const HELD = 'deferred-uploads.held';

/** Stores how long a response was held and how it ended, for the access log. */
export function heldInAccessLog(): DeferredInterceptor {
  return {
    postProcess(held) {
      held.ctx.state[HELD] = { heldMs: Math.round(heldMs(held)), ending: held.ending };
    },
  };
}

/** Returns the fields noted by `heldInAccessLog`, none for a response that was not deferred. */
export function heldPart(ctx: Context): object {
  const noted: unknown = ctx.state[HELD];
  return typeof noted === 'object' && noted !== null ? noted : {};
}

/**
 * Opens a span for each held response, below that of its request. It ends when the outcome is decided. It has a link to
 * each upload that has resolved it, and is not in the trace of the upload: one upload may resolve thousands of
 * responses, and one response may wait for many uploads. A response that was resolved before it was held has no span.
 */
export function heldSpans(): DeferredInterceptor {
  const spans = new WeakMap<Held, Span>();
  return {
    preProcess(held) {
      const request = spanOf(held.ctx);
      if (!request.isOn || held.result.isSetOrExpired()) return;
      const attributes = { 'deferred_uploads.timeout_ms': held.timeoutMs };
      spans.set(held, request.child('held response', { attributes }));
    },
    postProcess(held) {
      const span = spans.get(held);
      if (span === undefined) return;
      for (const cause of causesOf(held.result)) {
        const position = decodeTraceContext(cause);
        if (position !== undefined) span.link(position);
      }
      span.set({ 'deferred_uploads.ending': held.ending });
      span.end();
    },
  };
}

function heldMs(held: Held): number {
  return Math.max(0, performance.now() - held.startedAtMs);
}
