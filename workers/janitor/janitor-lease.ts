import { randomUUID } from 'node:crypto';
import type { Redis } from '../../src/queue/connection.ts';

/** Extends the lease. A lease that has expired while Redis was away is taken again if no other worker holds it. */
const RENEW_SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/**
 * Ensures that only one worker runs the janitor at a time. The key expires by the clock of Redis, so the clocks of the
 * workers may differ. If the holder dies, another worker takes the lease after it has expired.
 */
export class JanitorLease {
  readonly #connection: Redis;
  readonly #key: string;
  readonly #token = randomUUID();

  constructor(connection: Redis, key: string) {
    this.#connection = connection;
    this.#key = key;
  }

  /** Returns true if this worker now holds the lease for `forMs`, false if another worker holds it. */
  async take(forMs: number): Promise<boolean> {
    return (await this.#connection.set(this.#key, this.#token, 'PX', forMs, 'NX')) === 'OK';
  }

  /** Extends the lease to `forMs` from now. Returns false if another worker has taken it in the meantime. */
  async renew(forMs: number): Promise<boolean> {
    return (await this.#connection.eval(RENEW_SCRIPT, 1, this.#key, this.#token, String(forMs))) === 1;
  }
}
