import type { Logger } from '../../src/telemetry/log.ts';
import { uploadPrefix } from '../../src/storage/keys.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** One line may name so many files; a deleted upload of hundreds of parts needs no more. */
const MOST_NAMED = 50;

/** Logs files of an upload that were removed, by the rest of their keys: the id gives rights and has a field of its own. */
export function logRemoved(log: Logger, id: string, keys: readonly string[], reason: string): void {
  if (keys.length === 0) return;
  const start = uploadPrefix(id).length + 1;
  const files = keys.slice(0, MOST_NAMED).map((key) => key.slice(start));
  log.info({ upload: uploadRef(id), removed: keys.length, files, reason }, 'files removed');
}
