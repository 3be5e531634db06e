import type { SingleRedis } from './redis-client.ts';

/** Who hears of a subscriber's connection and channels. Neither may throw. */
export interface SubscriberListener {
  /** Connected, for the first time or anew: there are no subscriptions. */
  ready(): void;
  message(channel: string, text: string): void;
}

/** A connection for subscriptions; commands fail at once while it is away. It looks for Redis again by itself. */
export interface Subscriber {
  readonly isReady: boolean;
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  ping(): Promise<void>;
  /** Gives the connection up for another. */
  reconnect(): void;
  close(): void;
}

/** Subscribes over a connection of its own, which does not resubscribe by itself. */
export function openSubscriber(connection: SingleRedis, listener: SubscriberListener): Subscriber {
  connection.on('message', (channel: string, text: string) => listener.message(channel, text));
  connection.on('ready', () => listener.ready());
  return {
    get isReady() {
      return connection.status === 'ready';
    },
    async subscribe(channels) {
      await connection.subscribe(...channels);
    },
    async unsubscribe(channels) {
      await connection.unsubscribe(...channels);
    },
    async ping() {
      await connection.ping();
    },
    reconnect: () => connection.disconnect(true),
    close: () => connection.disconnect(),
  };
}
