import { DeferredManager } from '../deferred/deferred-manager.ts';
import { Registry } from '../deferred/registry.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { ProgressBus, type OpenEvents } from '../record/bus.ts';
import type { ProgressState } from '../record/progress.ts';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';

/** Held responses, the waiters behind them, and the bus that wakes those. */
export interface HeldParts {
  readonly registry: Registry<ProgressState>;
  readonly bus: ProgressBus;
  readonly manager: DeferredManager;
}

/** Builds the parts. `bus.start()` is the caller's. */
export function buildHeldParts(
  config: Config,
  { events, addressOf, log }: { events: OpenEvents; addressOf: ClientAddress; log: Logger },
): HeldParts {
  const registry: Registry<ProgressState> = new Registry<ProgressState>({
    onFault: (error) => log.error({ err: error }, 'waiter failed'),
    listen: (ids) => bus.listen(ids),
  });
  const bus = new ProgressBus(registry, events, log);
  const manager = new DeferredManager({
    defaultTimeoutMs: config.deferredTimeoutMs,
    maxHeld: config.deferredMaxHeld,
    maxHeldPerAddress: config.deferredMaxHeldPerAddress,
    addressOf: (ctx) => addressOf(ctx.req),
    reportFault: (error, where) => log.error({ err: error, where }, 'deferred response failed'),
  });
  return { registry, bus, manager };
}

/** Calls `onEvent` for every event of the upload, and with undefined once events can no longer be missed. */
export function listenTo(
  registry: Registry<ProgressState>,
  id: string,
  onEvent: (event: ProgressState | undefined) => void,
): () => void {
  const release = registry.register([id], onEvent);
  // Events before this moment may have been missed.
  void registry.listening([id])?.then(() => onEvent(undefined));
  return release;
}
