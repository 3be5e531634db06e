import type { Cluster, SingleRedis } from './redis-client.ts';
import type { Subscriber, SubscriberListener } from './subscriber.ts';

/** Period in which the shard is searched while it is away. */
const RETRY_MS = 250;

/**
 * Subscribes to sharded channels of a cluster, over a connection to the one shard that has all channels of an
 * installation. If the shard moves or fails over, the connection ends, and the shard is searched again.
 * @param cluster finds the shard; closed with the subscriber.
 * @param channel any of the channels that will be subscribed to.
 */
export function openShardSubscriber(cluster: Cluster, channel: string, listener: SubscriberListener): Subscriber {
  return new ShardSubscriber(cluster, channel, listener);
}

class ShardSubscriber implements Subscriber {
  readonly #cluster: Cluster;
  readonly #channel: string;
  readonly #listener: SubscriberListener;
  #connection: SingleRedis | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(cluster: Cluster, channel: string, listener: SubscriberListener) {
    this.#cluster = cluster;
    this.#channel = channel;
    this.#listener = listener;
    this.#retryLater(0);
  }

  get isReady(): boolean {
    return this.#connection?.status === 'ready';
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    await this.#connected().ssubscribe(...channels);
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#connected().sunsubscribe(...channels);
  }

  async ping(): Promise<void> {
    await this.#connected().ping();
  }

  reconnect(): void {
    this.#connection?.disconnect();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection?.disconnect();
    this.#cluster.disconnect();
  }

  #connected(): SingleRedis {
    if (this.#connection === undefined) throw new Error('the shard is away');
    return this.#connection;
  }

  #retryLater(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#findShard().catch(() => this.#retryLater(RETRY_MS));
    }, delayMs);
  }

  /** Rejects if no node has the shard at the moment. */
  async #findShard(): Promise<void> {
    const slot = Number(await this.#cluster.cluster('KEYSLOT', this.#channel));
    const address = this.#cluster.slots[slot]?.[0];
    const node = this.#cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address);
    if (node === undefined) throw new Error('no node has the shard');
    if (!this.#isClosed) this.#connect(node);
  }

  #connect(node: SingleRedis): void {
    const connection = node.duplicate({
      autoResubscribe: false,
      enableOfflineQueue: false,
      retryStrategy: null,
      lazyConnect: false,
    });
    this.#connection = connection;
    connection.on('error', () => undefined);
    connection.on('ready', () => this.#listener.ready());
    connection.on('smessage', (channel: string, text: string) => this.#listener.message(channel, text));
    // The slot has moved to another node: the server has ended or rejected a subscription.
    connection.on('moved', () => connection.disconnect());
    connection.on('end', () => {
      this.#connection = undefined;
      // Makes the cluster find the new node of the slot.
      this.#cluster.refreshSlotsCache();
      this.#retryLater(RETRY_MS);
    });
  }
}
