import type { Redis } from '../../src/queue/connection.ts';

const TAKE = `
for _, name in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('HSET', KEYS[1], name, redis.call('DUMP', name)) end`;

const GO_BACK = `
for _, name in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', name) end
local dumps = redis.call('HGETALL', KEYS[1])
for index = 1, #dumps, 2 do redis.call('RESTORE', dumps[index], 0, dumps[index + 1]) end`;

/** Earlier states of the keys below a prefix, to which Redis goes back like after the loss of its last changes. */
export class RedisSnapshots {
  readonly #connection: Redis;
  readonly #prefix: string;
  #count = 0;

  constructor(connection: Redis, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** The number of states to which Redis can go back. */
  get count(): number {
    return this.#count;
  }

  /** Keeps the current state. */
  async take(): Promise<void> {
    this.#count += 1;
    await this.#run(TAKE);
  }

  /** Goes back to the state that was kept `steps` calls of `take` ago, and forgets the later ones. */
  async goBack(steps: number): Promise<void> {
    const dropped = Array.from({ length: steps - 1 }, (_, index) => this.#key(this.#count - index));
    if (dropped.length > 0) await this.#connection.del(...dropped);
    this.#count -= steps - 1;
    await this.#run(GO_BACK);
  }

  /** Removes all keys below the prefix, and all states. */
  async clear(): Promise<void> {
    const keys = Array.from({ length: this.#count }, (_, index) => this.#key(index + 1));
    if (keys.length > 0) await this.#connection.del(...keys);
    this.#count = 0;
    await this.#run(GO_BACK);
  }

  #key(number: number): string {
    return `snapshot:${number}:${this.#prefix}`;
  }

  async #run(script: string): Promise<void> {
    await this.#connection.eval(script, 1, this.#key(this.#count), `${this.#prefix}*`);
  }
}
