import { Redis, SentinelConnector, type SentinelAddress, type SentinelConnectionOptions } from 'ioredis';

type Stream = Awaited<ReturnType<SentinelConnector['connect']>>;

/** By which sentinels tell, once a failover is all done: `<name> <old host> <old port> <new host> <new port>`. */
const SWITCHED = '+switch-master';

/**
 * Finds the master through sentinels, again for each new connection, and leaves one that they have replaced: a master that hangs
 * keeps its connections. To be used without the `failoverDetector` of ioredis, for two reasons: sentinels name the new master
 * about a second before they tell of the switch, and it then breaks the connection to that one; and a switch that it hears of
 * while its connection looks for the master ends that connection for good.
 */
export class LastingSentinelConnector extends SentinelConnector {
  /** Throws a `TypeError` for a connection without sentinels. */
  constructor(options: unknown) {
    if (!areOptions(options)) throw new TypeError('a connection through sentinels was given none');
    super(options);
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>): Promise<Stream> {
    const stream = await super.connect(...args);
    // Not for a master that takes no connections: the next sentinel may know a better one.
    stream.once('connect', () => this.#watch(stream));
    return stream;
  }

  #watch(stream: Stream): void {
    const listeners = this.#allSentinels().map((sentinel) => this.#listenTo(sentinel, stream));
    // What was told before and comes only now is nothing to the connection after this one.
    stream.once('close', () => listeners.forEach((listener) => listener.removeAllListeners('message').disconnect()));
  }

  /** Those found meanwhile too. The one that has just led to the master is asked first again. */
  #allSentinels(): Partial<SentinelAddress>[] {
    const iterator = this.sentinelIterator;
    const all: Partial<SentinelAddress>[] = [];
    iterator.reset(true);
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) all.push(next.value);
    iterator.reset(false);
    return all;
  }

  /** Goes on until the caller disconnects it, also after the sentinel was away. */
  #listenTo(sentinel: Partial<SentinelAddress>, stream: Stream): Redis {
    const listener = new Redis(listenerOptions(sentinel, this.options));
    // One that is away is looked for again, and the others tell meanwhile.
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

/** Where that cannot be told for certain, as with names in place of addresses, it counts as replaced: to connect anew is safe. */
function isReplaced(stream: Stream, message: string, masterName: string | undefined): boolean {
  const [name, , , host, port] = message.split(' ');
  const address = stream.remoteAddress?.replace(/^::ffff:/, '');
  return name === masterName && (address !== host || String(stream.remotePort) !== port);
}

function areOptions(options: unknown): options is SentinelConnectionOptions {
  return typeof options === 'object' && options !== null && 'sentinels' in options;
}
