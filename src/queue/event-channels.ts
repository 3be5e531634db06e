import type { Logger } from '../telemetry/log.ts';
import type { QueueKeys } from './contract.ts';
import { faultOf, NO_CONNECTION, reopenPauseMs, type EventFeed, type EventListener } from './event-feed.ts';
import type { Subscriber, SubscriberListener } from './subscriber.ts';

/** Channels of one command, so that none blocks Redis for long. */
const AT_ONCE = 1_000;

/** How often channels without a listener are looked for; one that is found twice is dropped. */
const SWEEP_PERIOD_MS = 15_000;

/** Past so many channels, all that nobody listens to are dropped at once. */
const MAX_CHANNELS = 50_000;

/** A subscriber is told nothing while nothing happens, so a connection that died in silence is found by asking. */
const PING_PERIOD_MS = 10_000;

/**
 * The changes of those uploads alone that somebody waits for here, each on a Redis channel of its own. A channel is
 * kept for a while after its last listener, since a poll is as a rule followed by the next.
 */
export function openEventChannels(
  open: (listener: SubscriberListener) => Subscriber,
  keys: Pick<QueueKeys, 'changeChannel'>,
  listener: EventListener,
  log: Logger,
): EventFeed {
  return new EventChannels(open, keys, listener, log);
}

/** A channel that was asked for. */
interface Channel {
  /** Resolves when it is subscribed to, or cannot be now; undefined once that is so. */
  subscribing: Promise<void> | undefined;
  /** Nobody has listened since the last sweep. */
  isQuiet: boolean;
}

class EventChannels implements EventFeed {
  readonly opened: Promise<void>;
  #onOpened: () => void = () => undefined;
  #fault: string | undefined = NO_CONNECTION;
  #refusals = 0;
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
      setInterval(() => this.#sweep(), SWEEP_PERIOD_MS).unref(),
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

  /** What cannot be subscribed to now is when the connection is ready. */
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
   * A connection has no channels at first, and what happened before it is lost. The channel of no upload is among them, so
   * that a refusal shows before anybody waits.
   */
  async #begin(): Promise<void> {
    clearTimeout(this.#reopenTimer);
    for (const id of this.#channels.keys()) if (!this.#listener.isWanted(id)) this.#channels.delete(id);
    if (!(await this.#subscribe(['', ...this.#channels.keys()]))) return;
    if (this.#refusals > 0) this.#log.info('events are received again');
    this.#refusals = 0;
    this.#fault = undefined;
    this.#listener.missed();
    this.#onOpened();
  }

  /** False if it was not possible. A connection that does not answer is given up; after a refusal all is tried again. */
  async #subscribe(ids: readonly string[]): Promise<boolean> {
    try {
      for (const names of this.#inCommands(ids)) await this.#subscriber.subscribe(names);
      return true;
    } catch (error) {
      const isRefused = error instanceof Error && error.name === 'ReplyError';
      if (isRefused) this.#refused(error);
      else if (this.#subscriber.isReady) this.#subscriber.reconnect();
      return false;
    }
  }

  #refused(error: Error): void {
    this.#fault = faultOf(error);
    if (this.#refusals === 0)
      this.#log.warn(
        { err: error },
        'Redis refuses to subscribe; trying again, waits end with their timeout until then',
      );
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => {
      if (this.#subscriber.isReady) void this.#begin();
    }, reopenPauseMs(this.#refusals));
    this.#refusals += 1;
  }

  #sweep(): void {
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
    // Where it fails the connection is gone, and its subscriptions with it.
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
