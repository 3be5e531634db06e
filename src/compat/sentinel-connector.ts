import { Redis, SentinelConnector, type SentinelAddress, type SentinelConnectionOptions } from 'ioredis';

type Stream = Awaited<ReturnType<SentinelConnector['connect']>>;

/** Sentinels publish here after a failover: `<name> <old host> <old port> <new host> <new port>`. */
const SWITCHED = '+switch-master';

/**
 * Asks the sentinels for the master at each new connection, and disconnects from a master that they have replaced. A
 * master that hangs keeps its connections open: https://github.com/redis/ioredis/issues/1314. The option
 * `failoverDetector` of ioredis must be off, for two reasons. Sentinels name the new master about a second before they
 * publish the switch, and the detector then closes the connection to the new master. A switch that is published while
 * the connection looks for the master ends the connection for ever. It is off by default because it left connections
 * open: https://github.com/redis/ioredis/pull/1363.
 */
export class RetryingSentinelConnector extends SentinelConnector {
  /** Throws a `TypeError` if the options contain no sentinels. */
  constructor(options: unknown) {
    if (!areOptions(options)) throw new TypeError('The options contain no sentinels.');
    super(options);
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>): Promise<Stream> {
    const stream = await super.connect(...args);
    // Watch only an open connection. If the master is unreachable, the next sentinel may know another one.
    stream.once('connect', () => this.#watch(stream));
    return stream;
  }

  #watch(stream: Stream): void {
    const listeners = this.#allSentinels().map((sentinel) => this.#listenTo(sentinel, stream));
    // Late messages must not affect the next connection.
    stream.once('close', () => listeners.forEach((listener) => listener.removeAllListeners('message').disconnect()));
  }

  /** Returns all sentinels, also discovered ones, in their order, so that the last successful one is asked first. */
  #allSentinels(): Partial<SentinelAddress>[] {
    const iterator = this.sentinelIterator;
    const all: Partial<SentinelAddress>[] = [];
    iterator.reset(true);
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) all.push(next.value);
    iterator.reset(false);
    return all;
  }

  /** Reconnects to the sentinel until the caller disconnects the listener. */
  #listenTo(sentinel: Partial<SentinelAddress>, stream: Stream): Redis {
    const listener = new Redis(listenerOptions(sentinel, this.options));
    // The listener reconnects by itself, and other sentinels report a failover in the meantime.
    listener.on('error', () => undefined);
    listener.on('message', (_channel: string, message: string) => {
      if (isReplaced(stream, message, this.options.name)) this.disconnect();
    });
    listener.subscribe(SWITCHED).catch(() => undefined);
    return listener;
  }
}

function listenerOptions({ host, port }: Partial<SentinelAddress>, options: SentinelConnectionOptions) {
  return {
    host: host ?? 'localhost',
    port: port ?? 26_379,
    enableReadyCheck: false,
    maxRetriesPerRequest: null,
    ...(options.disconnectTimeout === undefined ? {} : { disconnectTimeout: options.disconnectTimeout }),
    ...(options.sentinelTLS === undefined ? {} : { tls: options.sentinelTLS }),
    ...(options.sentinelPassword === undefined ? {} : { password: options.sentinelPassword }),
    ...(options.sentinelRetryStrategy === undefined ? {} : { retryStrategy: options.sentinelRetryStrategy }),
    ...(options.connectTimeout === undefined ? {} : { connectTimeout: options.connectTimeout }),
  };
}

/** True if the master may have been replaced. Also true if unsure, as with host names: a reconnect is safe. */
function isReplaced(stream: Stream, message: string, masterName: string | undefined): boolean {
  const [name, , , host, port] = message.split(' ');
  const address = stream.remoteAddress?.replace(/^::ffff:/, '');
  return name === masterName && (address !== host || String(stream.remotePort) !== port);
}

function areOptions(options: unknown): options is SentinelConnectionOptions {
  return typeof options === 'object' && options !== null && 'sentinels' in options;
}
