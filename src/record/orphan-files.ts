import { isFinalState } from '../wire/documents.ts';
import { isGone } from './record-fields.ts';
import type { ReadRecord } from './read-record.ts';
import type { UploadRecords } from './record.ts';
import {
  attemptPrefix,
  isManifestKey,
  isOfFencingToken,
  originalKey,
  partOffset,
  uploadPrefix,
} from '../storage/keys.ts';
import { isLost, readManifest } from '../storage/manifest.ts';
import type { Storage } from '../storage/storage.ts';

/** The records and the storage that `removeOrphanFiles` compares. */
export interface FileParts {
  records: Pick<UploadRecords, 'read'>;
  storage: Pick<Storage, 'list' | 'read' | 'remove'>;
}

/**
 * Removes the files of an upload that its record does not name, and returns their keys. A missing, expired, cancelled
 * or discarded record names no file. Any other record does not name files of earlier requests and of attempts that
 * lost. The files are listed before the record is read, so files of a request that begins later are never among them.
 */
export async function removeOrphanFiles({ records, storage }: FileParts, id: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(uploadPrefix(id))) keys.push(key);
  const read = await records.read(id);
  // Redis may have lost the record. The reconciliation scan rebuilds it from the manifest.
  if (read === undefined && keys.some(isManifestKey)) return [];
  const orphans = keys.filter((key) => read === undefined || !isNamed(read, key, keys));
  if (read !== undefined && (await isBehind(storage, read, orphans))) return [];
  // A manifest proves that its bytes are stored, so it is removed before them.
  for (const key of orphans.filter(isManifestKey)) await storage.remove(key);
  for (const key of orphans.filter((key) => !isManifestKey(key))) await storage.remove(key);
  return orphans;
}

/**
 * True if a file is the manifest of an accepted upload that Redis has lost. The reconciliation scan restores it, or the
 * janitor when the record is due.
 */
async function isBehind(
  storage: FileParts['storage'],
  { record, nowMs }: ReadRecord,
  keys: readonly string[],
): Promise<boolean> {
  if (record.state === 'completed' || isGone(record, nowMs)) return false;
  for (const key of keys.filter(isManifestKey)) {
    const manifest = await readManifest(storage, key);
    if (manifest !== undefined && isLost(manifest, record)) return true;
  }
  return false;
}

function isNamed({ record, nowMs }: ReadRecord, key: string, keys: readonly string[]): boolean {
  if (isGone(record, nowMs) || record.state === 'cancelled' || record.state === 'discarded') return false;
  // A file of an upload that ended before it was stored does not count, even if its bytes reached the disk.
  if (isOfFencingToken(key, record.id, record.fencingToken)) return record.stored || !isFinalState(record.state);
  // The next request of a resumable upload needs its parts.
  if (partOffset(key) !== undefined) return record.state === 'receiving' || needsParts(record, keys);
  if (Object.values(record.variants).some((variant) => variant.key === key)) return true;
  // The running attempt writes a file before its record names it.
  return !isFinalState(record.state) && key.startsWith(`${attemptPrefix(record.id, record.attempt)}/`);
}

/** True if the uploaded file exists only as parts, which a worker joins. A failed upload may be tried again. */
function needsParts({ id, fencingToken, stored, state }: ReadRecord['record'], keys: readonly string[]): boolean {
  return stored && state !== 'completed' && !keys.includes(originalKey(id, fencingToken));
}
