import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';

const PERIOD_SECONDS = 60;

/**
 * Limits the requests that create uploads, for each client address, in this process. The limit of a tenant,
 * `createPerMinute`, is decided by the scripts for all processes together.
 */
export class CreationRate {
  readonly #perMinute: number;
  readonly #limiter: RateLimiterMemory;

  /** @param perMinute 0 means no limit. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#limiter = new RateLimiterMemory({ points: perMinute, duration: PERIOD_SECONDS });
  }

  /**
   * Counts the request. Throws `too_many_uploads_by_address` (429) above the limit. Requests with an API key are not
   * counted, because a back end sends the uploads of many people from one address.
   */
  async require({ address, caller }: Pick<RequestScope, 'address' | 'caller'>): Promise<void> {
    if (this.#perMinute === 0 || caller.via === 'key') return;
    try {
      await this.#limiter.consume(address);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new ServiceError(
        'too_many_uploads_by_address',
        `One address may begin ${this.#perMinute} uploads per minute. Retry after the time in Retry-After.`,
        { retryAfterMs: error.msBeforeNext },
      );
    }
  }
}
