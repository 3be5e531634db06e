import { readFileSync } from 'node:fs';
import type { Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';

/** For Redis, logs, files that are read, and the process itself. */
const RESERVED = 200;

/** The most files and sockets that this process may have open; undefined if the system does not say. */
export function descriptorLimit(): number | undefined {
  try {
    return limitIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The soft limit in the text of `/proc/<pid>/limits`; undefined if there is none. */
export function limitIn(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/**
 * How many connections leave enough descriptors for everything else. Each may need a second one, for the file that it
 * brings or takes. At least half of a small limit goes to connections and their files.
 */
export function maxConnectionsOf(limit: number | undefined): number | undefined {
  if (limit === undefined) return undefined;
  return Math.max(1, Math.floor((limit - Math.min(RESERVED, Math.floor(limit / 2))) / 2));
}

/** Logs one line if the settings allow more than there are descriptors for. */
export function warnOfFewDescriptors(
  limit: number | undefined,
  { deferredMaxHeld, uploadMaxOpen }: Pick<Config, 'deferredMaxHeld' | 'uploadMaxOpen'>,
  log: Logger,
): void {
  const needed = 2 * (deferredMaxHeld + uploadMaxOpen) + RESERVED;
  if (limit === undefined || limit >= needed) return;
  log.warn(
    { limit, needed, settings: ['DEFERRED_MAX_HELD', 'UPLOAD_MAX_OPEN'] },
    'the settings need more open files than this process may have; raise `ulimit -n` or lower them',
  );
}
