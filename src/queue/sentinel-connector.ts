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
    const listeners = (this.options.sentinels ?? []).map((sentinel) => this.#listenTo(sentinel, stream));
    stream.once('close', () => listeners.forEach((listener) => listener.disconnect()));
    return stream;
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
