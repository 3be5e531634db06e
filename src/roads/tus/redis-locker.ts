import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lock, Locker, RequestRelease } from '@tus/server';
import { ServiceError } from '../../errors.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { QueueKeys } from '../../queue/contract.ts';

/** The one Redis command that locks need. */
export interface LockStore {
  runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** What locks are made of. */
export interface LockerParts {
  store: LockStore;
  keys: Pick<QueueKeys, 'uploadLock' | 'uploadLockWanted'>;
  log: Logger;
}

/** A holder that was killed holds no longer than this. */
const HELD_MS = 6_000;

/** How often a holder says that it lives, and hears that it is wanted to end. */
const KEEP_PERIOD_MS = 400;

/** How often one that waits asks; its wish is forgotten `WANTED_MS` after the last time. */
const ASK_PERIOD_MS = 100;
const WANTED_MS = 2_000;

/** Longer than a dead holder holds. */
const ASK_DEADLINE_MS = 20_000;

/** KEYS 1 lock, 2 wanted; ARGV 1 token, 2 held for ms, 3 wanted for ms. A token that holds already is a reply that was lost. */
const TAKE_SCRIPT = `
if redis.call('GET', KEYS[1]) == ARGV[1] or redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('DEL', KEYS[2])
  return 'taken'
end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 'wait'
`;

/** KEYS and ARGV as above. One that ran out while Redis was away, and that nobody has taken since, is taken again. */
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
 * Locks on uploads that all processes share. Whoever waits makes the holder hear of it, wherever that runs, so
 * that a client need not wait for the end of its own dead connection. A lock only keeps requests from getting
 * in each other's way: no byte is lost where one that was thought dead goes on.
 */
export class RedisLocker implements Locker {
  readonly #parts: LockerParts;
  readonly #gone: AbortSignal;

  /** `gone` ends the waiting: the client is not there any more. */
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

  /** Throws `upload_locked` (423), which clients of the protocol take for a reason to try again. */
  async lock(signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    const deadlineMs = performance.now() + ASK_DEADLINE_MS;
    while ((await this.#run(TAKE_SCRIPT)) !== 'taken') {
      if (signal.aborted || this.#gone.aborted || performance.now() > deadlineMs) {
        throw new ServiceError('upload_locked', 'Another request is sending this upload at the moment. Try again.', {
          retryAfterMs: 1000,
        });
      }
      await delay(ASK_PERIOD_MS * (0.5 + Math.random()));
    }
    this.#isHeld = true;
    this.#keepLater(requestRelease);
  }

  /** Never fails: a lock that could not be given back runs out. */
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
      this.#parts.log.debug({ err: error }, 'lock not kept');
    }
    if (this.#isHeld) this.#keepLater(requestRelease);
  }

  async #run(script: string): Promise<unknown> {
    return await this.#parts.store.runScript(script, this.#keys, [this.#token, String(HELD_MS), String(WANTED_MS)]);
  }
}
