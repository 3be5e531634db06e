import { randomUUID } from 'node:crypto';
import type { Redis } from '../../src/queue/connection.ts';

/** Prolongs the lease. One that ran out while Redis was away, and that nobody has taken since, is taken again. */
const RENEW_SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;

/**
 * Lets one worker of all run the janitor. The key expires by the clock of Redis, so the clocks of the workers may be
 * apart; a holder that dies is followed when the key has expired.
 */
export class JanitorLease {
  readonly #connection: Redis;
  readonly #key: string;
  readonly #token = randomUUID();

  constructor(connection: Redis, key: string) {
    this.#connection = connection;
    this.#key = key;
  }

  /** Returns true if this worker holds the lease for `forMs` from now on; false while another one does. */
  async take(forMs: number): Promise<boolean> {
    return (await this.#connection.set(this.#key, this.#token, 'PX', forMs, 'NX')) === 'OK';
  }

  /** Holds the lease for `forMs` from now on. Returns false if another worker has taken it meanwhile. */
  async renew(forMs: number): Promise<boolean> {
    return (await this.#connection.eval(RENEW_SCRIPT, 1, this.#key, this.#token, String(forMs))) === 1;
  }
}
