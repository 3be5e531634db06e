import type { SingleRedis } from './redis-client.ts';

/** Receives the events of a subscriber. Neither function may throw. */
export interface SubscriberListener {
  /** Called when the connection is new, so that it has no subscriptions. */
  ready(): void;
  message(channel: string, text: string): void;
}

/** A connection for subscriptions. Its commands fail at once while it is away. It reconnects on its own. */
export interface Subscriber {
  readonly isReady: boolean;
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  ping(): Promise<void>;
  /** Replaces the connection. */
  reconnect(): void;
  close(): void;
}

/** Opens a subscriber with a connection of its own, which does not resubscribe on its own. */
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
