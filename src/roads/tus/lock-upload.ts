import type { RequestScope } from '../../http/request-scope.ts';
import type { QueueKeys } from '../../queue/contract.ts';
import { RedisLocker, type LockStore } from './redis-locker.ts';

/** A request of tus that should release its lock has this long to end on its own. */
export const DRAIN_MS = 1_000;

/** The parts that locks need, besides the request. */
export interface LockParts {
  store: LockStore;
  keys: QueueKeys;
}

/** A request that needs an upload for itself. */
interface LockedRequest {
  scope: RequestScope;
  id: string;
  /** Fires if the client disconnects. */
  gone: AbortSignal;
  /** A request that should release its lock has this long to end on its own. */
  drainMs: number;
}

/**
 * Runs `work` while no other request changes the upload. Its signal fires if another request wants the lock. Throws
 * `upload_locked` (423) if the lock cannot be had.
 */
export async function lockUpload<T>(
  parts: LockParts,
  { scope, id, gone, drainMs }: LockedRequest,
  work: (wanted: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = new RedisLocker({ ...parts, log: scope.log }, gone).newLock(id);
  const wanted = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  await lock.lock(gone, () => {
    timer ??= setTimeout(() => wanted.abort(), drainMs);
  });
  try {
    return await work(wanted.signal);
  } finally {
    clearTimeout(timer);
    await lock.unlock();
  }
}
