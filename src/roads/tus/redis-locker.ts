import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lock, Locker, RequestRelease } from '@tus/server';
import { ServiceError } from '../../errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { QueueKeys } from '../../queue/contract.ts';

/** The Redis commands that locks need. */
export interface LockStore {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** The parts that locks need. */
export interface LockerParts {
  store: LockStore;
  keys: Pick<QueueKeys, 'uploadLock' | 'uploadLockWanted'>;
  log: Logger;
}

/** The lock of a killed holder expires after this time. */
const HELD_MS = 6_000;

/** A holder renews its lock in this period, and reads whether another request wants it. */
const KEEP_PERIOD_MS = 400;

/** A waiting request asks in this period. Its wish expires `WANTED_MS` after it last asked. */
const ASK_PERIOD_MS = 100;
const WANTED_MS = 2_000;

/** A request waits for this time. It is longer than `HELD_MS`, so that the lock of a dead holder has expired. */
const ASK_DEADLINE_MS = 20_000;

/**
 * KEYS 1 lock, 2 wanted; ARGV 1 token, 2 held for ms, 3 wanted for ms. If the token already holds the lock, an earlier
 * reply was lost.
 */
const TAKE_SCRIPT = `
if redis.call('GET', KEYS[1]) == ARGV[1] or redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('DEL', KEYS[2])
  return 'taken'
end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 'wait'
`;

/** KEYS and ARGV as above. A lock that expired while Redis did not respond is taken again if it is still free. */
const KEEP_SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 'lost' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('EXISTS', KEYS[2]) == 1 and 'wanted' or 'kept'
`;

const RELEASE_SCRIPT = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 'released'
`;

/**
 * Locks uploads across all processes. A waiting request notifies the holder in any process, so that a client does not
 * have to wait for the end of its own dead connection. A lock only avoids conflicts between requests: no byte is lost
 * if a holder continues after its lock has expired.
 */
export class RedisLocker implements Locker {
  readonly #parts: LockerParts;
  readonly #gone: AbortSignal;

  /** @param gone fires if the client disconnects, which ends the waiting. */
  constructor(parts: LockerParts, gone: AbortSignal) {
    this.#parts = parts;
    this.#gone = gone;
  }

  newLock(id: string): Lock {
    return new RedisLock(this.#parts, id, this.#gone);
  }
}

class RedisLock implements Lock {
  readonly #parts: LockerParts;
  readonly #keys: readonly string[];
  readonly #gone: AbortSignal;
  readonly #token = randomBytes(16).toString('hex');
  #timer: NodeJS.Timeout | undefined;
  #keeping: Promise<void> | undefined;
  #isHeld = false;

  constructor(parts: LockerParts, id: string, gone: AbortSignal) {
    this.#parts = parts;
    this.#keys = [parts.keys.uploadLock(id), parts.keys.uploadLockWanted(id)];
    this.#gone = gone;
  }

  /** Throws `upload_locked` (423). Clients of the protocol retry after it. */
  async lock(signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    const deadlineMs = performance.now() + ASK_DEADLINE_MS;
    while ((await this.#run(TAKE_SCRIPT)) !== 'taken') {
      if (signal.aborted || this.#gone.aborted || performance.now() > deadlineMs) {
        throw new ServiceError(
          'upload_locked',
          'Another request is sending this upload. Retry after the time in Retry-After.',
          { retryAfterMs: 1000 },
        );
      }
      await delay(ASK_PERIOD_MS * (0.5 + Math.random()));
    }
    this.#isHeld = true;
    this.#keepLater(requestRelease);
  }

  /** Never rejects, because a lock that cannot be released expires. */
  async unlock(): Promise<void> {
    this.#isHeld = false;
    clearTimeout(this.#timer);
    await this.#keeping;
    await this.#run(RELEASE_SCRIPT).catch((error: unknown) =>
      this.#parts.log.debug({ err: error }, 'lock not released'),
    );
  }

  #keepLater(requestRelease: RequestRelease): void {
    this.#timer = setTimeout(() => (this.#keeping = this.#keep(requestRelease)), KEEP_PERIOD_MS);
    this.#timer.unref();
  }

  async #keep(requestRelease: RequestRelease): Promise<void> {
    try {
      const answer = await this.#run(KEEP_SCRIPT);
      if (answer === 'wanted' || answer === 'lost') await requestRelease();
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'lock not renewed');
    }
    if (this.#isHeld) this.#keepLater(requestRelease);
  }

  async #run(script: string): Promise<unknown> {
    return await this.#parts.store.runScript(script, this.#keys, [this.#token, String(HELD_MS), String(WANTED_MS)]);
  }
}
