import type { Logger } from '../telemetry/log.ts';
import { every } from '../telemetry/shared-timer.ts';
import type { Redis } from './connection.ts';

/** Period in which the clock of Redis is read. */
const PERIOD_MS = 10_000;

/** A script with a key, so that in a cluster the node with the records answers. */
const TIME_SCRIPT = `return redis.call('TIME')`;

/** Returns milliseconds since 1970 with fractions, by the clock of this machine. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The time by Redis' clock. All times of records use it, so ages and expiries must be compared with it and not with the
 * clock of this machine, which may differ. Until Redis was read once, it is the clock of this machine.
 */
export class RedisClock {
  readonly #connection: Redis;
  readonly #key: string;
  readonly #log: Logger;
  readonly #onReady = (): void => void this.measure();
  #stopTimer = (): void => undefined;
  /**
   * The time of Redis at which `performance.now()` was 0. It is monotonic: changing the clock of this machine does not
   * move it.
   */
  #originMs = performance.timeOrigin;

  /** @param key any key of the installation. */
  constructor(connection: Redis, key: string, log: Logger) {
    this.#connection = connection;
    this.#key = key;
    this.#log = log;
  }

  /** Reads the clock now if Redis is there, after each reconnect, and every 10 s until `close`. */
  async start(): Promise<void> {
    this.#stopTimer = every(PERIOD_MS, () => void this.measure());
    this.#connection.on('ready', this.#onReady);
    await this.measure();
  }

  /** Stops the reads. The connection stays open. */
  close(): void {
    this.#stopTimer();
    this.#connection.off('ready', this.#onReady);
  }

  /** Returns milliseconds since 1970 with fractions. */
  nowMs(): number {
    return this.#originMs + performance.now();
  }

  /** Reads the clock of Redis. Never rejects: without a reply the last offset stays. */
  async measure(): Promise<void> {
    if (this.#connection.status !== 'ready') return;
    try {
      const sentAtMs = performance.now();
      const reply = await this.#connection.eval(TIME_SCRIPT, 1, this.#key);
      this.#correct(timeOf(reply), sentAtMs, performance.now());
    } catch (error) {
      this.#log.debug({ err: error }, 'clock of Redis not read');
    }
  }

  /** Ignores a difference that the round trip can explain, so that the two clocks of one machine stay the same. */
  #correct(redisMs: number, sentAtMs: number, receivedAtMs: number): void {
    const uncertaintyMs = (receivedAtMs - sentAtMs) / 2;
    const originMs = redisMs - sentAtMs - uncertaintyMs;
    if (Math.abs(originMs - this.#originMs) > uncertaintyMs) this.#originMs = originMs;
  }
}

function timeOf(reply: unknown): number {
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : [];
  if (seconds === undefined || microseconds === undefined) throw new Error('Redis returned no time');
  return seconds * 1000 + microseconds / 1000;
}
