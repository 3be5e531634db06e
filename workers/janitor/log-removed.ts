import type { Logger } from '../../src/telemetry/log.ts';
import { uploadPrefix } from '../../src/storage/keys.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** One log line names at most this many files. A deleted upload may have hundreds. */
const MOST_NAMED = 50;

/**
 * Logs the removed files of an upload. Names leave out the upload's id, because an id gives access; it is logged as a
 * hash.
 */
export function logRemoved(log: Logger, id: string, keys: readonly string[], reason: string): void {
  if (keys.length === 0) return;
  const start = uploadPrefix(id).length + 1;
  const files = keys.slice(0, MOST_NAMED).map((key) => key.slice(start));
  log.info({ upload: uploadRef(id), removed: keys.length, files, reason }, 'files removed');
}
