import { DeferredManager } from '../deferred/deferred-manager.ts';
import { Registry } from '../deferred/registry.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { heldInAccessLog, heldMetrics, heldSpans } from '../http/held-interceptors.ts';
import { ProgressBus, type OpenEvents } from '../record/bus.ts';
import type { ProgressState } from '../record/progress.ts';
import { RecordSubscription, type RecordObserver } from '../record/record-subscription.ts';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { descriptorLimit, maxHeldOf } from './descriptors.ts';

/** The held responses, their waiters, and the event bus that wakes them. */
export interface HeldParts {
  readonly registry: Registry<ProgressState>;
  readonly bus: ProgressBus;
  readonly manager: DeferredManager;
}

/** Builds the parts. The caller starts the bus with `bus.start()`. */
export function buildHeldParts(
  config: Config,
  { events, addressOf, log }: { events: OpenEvents; addressOf: ClientAddress; log: Logger },
): HeldParts {
  const registry: Registry<ProgressState> = new Registry<ProgressState>({
    onFault: (error) => log.error({ err: error }, 'waiter callback failed'),
    listen: (ids) => bus.listen(ids),
  });
  const bus = new ProgressBus(registry, events, log);
  const manager = new DeferredManager({
    defaultTimeoutMs: config.deferredTimeoutMs,
    maxHeld: maxHeldOf(descriptorLimit(), config.deferredMaxHeld),
    maxHeldPerAddress: config.deferredMaxHeldPerAddress,
    addressOf: (ctx) => addressOf(ctx.req),
    reportFault: (error, where) => log.error({ err: error, where }, 'deferred response failed'),
  });
  return { registry, bus, manager };
}

interface HeldObservers {
  metrics: Metrics;
  tracing: Tracing | undefined;
  /** Returns the time by Redis' clock. */
  nowMs: () => number;
}

/** Adds the interceptors of metrics, access log and spans. */
export function observeHeld(manager: DeferredManager, { metrics, tracing, nowMs }: HeldObservers): void {
  manager.register('metrics', heldMetrics(metrics, nowMs));
  manager.register('access-log', heldInAccessLog());
  if (tracing !== undefined) manager.register('spans', heldSpans());
}

/** Opens a subscription to a record in the background. The returned function closes it. */
export function subscribeTo(registry: Registry<ProgressState>, log: Logger, observer: RecordObserver): () => void {
  const subscription = new RecordSubscription(registry, observer);
  subscription.open('retries').catch((error: unknown) => log.error({ err: error }, 'subscription to a record failed'));
  return () => subscription.close();
}
