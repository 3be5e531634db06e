import type { Context } from 'koa';
import type { DeferredInterceptor, Held } from '../deferred/interceptor.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { eventTimeOf } from '../record/hold.ts';
import { routeOf } from './request-metrics.ts';

/**
 * Counts held responses by route, how each ended and how long it was held, and the time from an event's
 * creation to the last byte of the answer. One that was resolved before it was held does not count.
 * @param nowMs the clock that events bear the time of.
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

/** Lets the access log's line say that a response was held, for how long, and what ended it. */
export function heldInAccessLog(): DeferredInterceptor {
  return {
    postProcess(held) {
      held.ctx.state[HELD] = { heldMs: Math.round(heldMs(held)), ending: held.ending };
    },
  };
}

/** What `heldInAccessLog` has noted; nothing for a response that was not deferred. */
export function heldPart(ctx: Context): object {
  const noted: unknown = ctx.state[HELD];
  return typeof noted === 'object' && noted !== null ? noted : {};
}

function heldMs(held: Held): number {
  return Math.max(0, performance.now() - held.startedAtMs);
}
