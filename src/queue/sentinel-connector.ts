import { SentinelConnector, type SentinelConnectionOptions } from 'ioredis';

/**
 * Finds the master through sentinels, and again for each new connection. ioredis leaves it to listen for failovers on behalf of the
 * connection before, and a failover that it hears of while it looks for the new master ends that for good.
 */
export class LastingSentinelConnector extends SentinelConnector {
  /** Throws a `TypeError` for a connection without sentinels. */
  constructor(options: unknown) {
    if (!areOptions(options)) throw new TypeError('a connection through sentinels was given none');
    super(options);
  }

  override connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
    // The way to its listener, which it keeps to itself; the connection before is closed by now.
    this.disconnect();
    return super.connect(...args);
  }
}

function areOptions(options: unknown): options is SentinelConnectionOptions {
  return typeof options === 'object' && options !== null && 'sentinels' in options;
}
