import type { Logger } from '../telemetry/log.ts';
import type { QueueKeys } from './contract.ts';
import { faultOf, NO_CONNECTION, reopenPauseMs, type EventFeed, type EventListener } from './event-feed.ts';
import type { Subscriber, SubscriberListener } from './subscriber.ts';

/** Maximum number of channels in one command, so that no command blocks Redis for long. */
const AT_ONCE = 1_000;

/** Period between two checks for channels without a listener. A channel that has none at two checks is dropped. */
const UNUSED_CHECK_MS = 15_000;

/** Above this number of channels, all channels without a listener are dropped at once. */
const MAX_CHANNELS = 50_000;

/** A subscriber receives nothing while nothing changes, so a ping finds out whether the connection still works. */
const PING_PERIOD_MS = 10_000;

/**
 * Opens a feed that receives only the changes of uploads with a waiter in this process. Each upload has a Redis
 * channel. A channel is kept for a while after its last listener, because a client usually polls again.
 */
export function openEventChannels(
  open: (listener: SubscriberListener) => Subscriber,
  keys: Pick<QueueKeys, 'changeChannel'>,
  listener: EventListener,
  log: Logger,
): EventFeed {
  return new EventChannels(open, keys, listener, log);
}

/** A requested channel. */
interface Channel {
  /** Resolves when the channel is subscribed, or if that is not possible now. Undefined afterwards. */
  subscribing: Promise<void> | undefined;
  /** True if there was no listener at the last check. */
  isQuiet: boolean;
}

class EventChannels implements EventFeed {
  readonly opened: Promise<void>;
  #onOpened: () => void = () => undefined;
  #fault: string | undefined = NO_CONNECTION;
  #rejections = 0;
  #reopenTimer: NodeJS.Timeout | undefined;
  readonly #subscriber: Subscriber;
  readonly #prefix: string;
  readonly #listener: EventListener;
  readonly #log: Logger;
  readonly #channels = new Map<string, Channel>();
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(
    open: (listener: SubscriberListener) => Subscriber,
    keys: Pick<QueueKeys, 'changeChannel'>,
    listener: EventListener,
    log: Logger,
  ) {
    this.#prefix = keys.changeChannel('');
    this.#listener = listener;
    this.#log = log;
    this.opened = new Promise((resolve) => (this.#onOpened = resolve));
    this.#subscriber = open({
      ready: () => void this.#begin(),
      message: (name, text) => listener.changed(name.slice(this.#prefix.length), text),
    });
    this.#timers = [
      setInterval(() => this.#dropUnused(), UNUSED_CHECK_MS).unref(),
      setInterval(() => void this.#ping(), PING_PERIOD_MS).unref(),
    ];
  }

  get fault(): string | undefined {
    return this.#fault ?? (this.#subscriber.isReady ? undefined : NO_CONNECTION);
  }

  listen(ids: readonly string[]): Promise<void> | undefined {
    const fresh: string[] = [];
    const subscribing: Promise<void>[] = [];
    for (const id of ids) {
      const channel = this.#channels.get(id);
      if (channel === undefined) fresh.push(id);
      else channel.isQuiet = false;
      if (channel?.subscribing !== undefined) subscribing.push(channel.subscribing);
    }
    const added = fresh.length === 0 ? undefined : this.#add(fresh);
    if (added !== undefined) subscribing.push(added);
    return subscribing.length === 0 ? undefined : Promise.all(subscribing).then(() => undefined);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#reopenTimer);
    this.#channels.clear();
    this.#subscriber.close();
    await Promise.resolve();
  }

  /** Adds channels. If the connection is away, they are subscribed when it is ready. */
  #add(ids: readonly string[]): Promise<void> | undefined {
    if (this.#channels.size + ids.length > MAX_CHANNELS) this.#drop((id) => !this.#listener.isWanted(id));
    const subscribing = this.#subscriber.isReady ? this.#subscribe(ids).then(() => this.#settled(ids)) : undefined;
    for (const id of ids) this.#channels.set(id, { subscribing, isQuiet: false });
    return subscribing;
  }

  #settled(ids: readonly string[]): void {
    for (const id of ids) {
      const channel = this.#channels.get(id);
      if (channel !== undefined) channel.subscribing = undefined;
    }
  }

  /**
   * Subscribes a new connection to all channels. Changes before it are lost. Also subscribes to a channel that no
   * upload uses, so that a missing right shows before there is a waiter.
   */
  async #begin(): Promise<void> {
    clearTimeout(this.#reopenTimer);
    for (const id of this.#channels.keys()) if (!this.#listener.isWanted(id)) this.#channels.delete(id);
    if (!(await this.#subscribe(['', ...this.#channels.keys()]))) return;
    if (this.#rejections > 0) this.#log.info('events arrive again');
    this.#rejections = 0;
    this.#fault = undefined;
    this.#listener.missed();
    this.#onOpened();
  }

  /**
   * Returns false if it failed. A connection that does not answer is replaced; after an error reply all channels are
   * tried again.
   */
  async #subscribe(ids: readonly string[]): Promise<boolean> {
    try {
      for (const names of this.#inCommands(ids)) await this.#subscriber.subscribe(names);
      return true;
    } catch (error) {
      const isRejected = error instanceof Error && error.name === 'ReplyError';
      if (isRejected) this.#rejected(error);
      else if (this.#subscriber.isReady) this.#subscriber.reconnect();
      return false;
    }
  }

  #rejected(error: Error): void {
    this.#fault = faultOf(error);
    if (this.#rejections === 0) this.#log.warn({ err: error }, 'Redis rejected event channels');
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => {
      if (this.#subscriber.isReady) void this.#begin();
    }, reopenPauseMs(this.#rejections));
    this.#rejections += 1;
  }

  #dropUnused(): void {
    this.#drop((id, channel) => {
      if (this.#listener.isWanted(id)) channel.isQuiet = false;
      else if (channel.isQuiet) return true;
      else channel.isQuiet = true;
      return false;
    });
  }

  #drop(isIdle: (id: string, channel: Channel) => boolean): void {
    const idle = [...this.#channels].filter(([id, channel]) => isIdle(id, channel)).map(([id]) => id);
    for (const id of idle) this.#channels.delete(id);
    // If this fails, the connection is gone, and its subscriptions with it.
    for (const names of this.#inCommands(idle)) this.#subscriber.unsubscribe(names).catch(() => undefined);
  }

  async #ping(): Promise<void> {
    if (!this.#subscriber.isReady) return;
    await this.#subscriber.ping().catch(() => this.#subscriber.reconnect());
  }

  *#inCommands(ids: readonly string[]): Generator<string[]> {
    for (let first = 0; first < ids.length; first += AT_ONCE)
      yield ids.slice(first, first + AT_ONCE).map((id) => this.#prefix + id);
  }
}
