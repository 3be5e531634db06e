import { readFileSync } from 'node:fs';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';

/** Descriptors for Redis, logs, files that are read, and the process itself. */
const RESERVED = 200;

/** Returns the maximum number of open files and sockets of this process; undefined if it is unknown. */
export function descriptorLimit(): number | undefined {
  try {
    return limitIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads the soft limit from the text of `/proc/<pid>/limits`; undefined if there is none. */
export function limitIn(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/**
 * Returns the number of connections that leaves enough descriptors for everything else. Each connection may need a
 * second descriptor for its file. At least half of a small limit is for connections and their files.
 */
export function maxConnectionsOf(limit: number | undefined): number | undefined {
  if (limit === undefined) return undefined;
  return Math.max(1, Math.floor((limit - Math.min(RESERVED, Math.floor(limit / 2))) / 2));
}

/** This share of the connections is left for requests that are not held. */
const NOT_HELD_SHARE = 0.02;

/** Returns the number of responses that may be held: at most the setting, so that uploads find a connection. */
export function maxHeldOf(limit: number | undefined, deferredMaxHeld: number): number {
  const maxConnections = maxConnectionsOf(limit);
  if (maxConnections === undefined) return deferredMaxHeld;
  return Math.min(deferredMaxHeld, maxConnections - Math.ceil(maxConnections * NOT_HELD_SHARE));
}

/** Logs one line if the settings allow more connections and files than the process has descriptors. */
export function warnOfFewDescriptors(
  limit: number | undefined,
  { deferredMaxHeld, uploadMaxOpen }: Pick<Config, 'deferredMaxHeld' | 'uploadMaxOpen'>,
  log: Logger,
): void {
  const needed = 2 * (deferredMaxHeld + uploadMaxOpen) + RESERVED;
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, needed, settings: ['DEFERRED_MAX_HELD', 'UPLOAD_MAX_OPEN'] },
    'limit of open files too low, raise ulimit -n',
  );
}
