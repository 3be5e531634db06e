import { isFinalState } from '../wire/documents.ts';
import { isExpired } from './record-fields.ts';
import type { ReadRecord } from './read-record.ts';
import type { UploadRecords } from './record.ts';
import { attemptPrefix, isManifestKey, isOfFencingToken, partOffset, uploadPrefix } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';

/** What the files of uploads are compared with. */
export interface FileParts {
  records: Pick<UploadRecords, 'read'>;
  storage: Pick<Storage, 'list' | 'remove'>;
}

/**
 * Removes the files of an upload that its record does not name, and returns their keys: all of them if the record is
 * gone, expired, cancelled or discarded; otherwise those of earlier requests and of attempts that lost. The files
 * are listed before the record is read, so that none of a request that begins meanwhile is among them.
 */
export async function removeOrphanFiles({ records, storage }: FileParts, id: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(uploadPrefix(id))) keys.push(key);
  const read = await records.read(id);
  // Redis may have lost the record since somebody asked for this; the reconciliation scan brings it back then.
  if (read === undefined && keys.some(isManifestKey)) return [];
  const orphans = keys.filter((key) => read === undefined || !isNamed(read, key));
  for (const key of orphans) await storage.remove(key);
  return orphans;
}

function isNamed({ record, nowMs }: ReadRecord, key: string): boolean {
  const isGone =
    record.deleted || isExpired(record, nowMs) || record.state === 'cancelled' || record.state === 'discarded';
  if (isGone) return false;
  // One that ended before its bytes counted has none, though they may have come to the disk.
  if (isOfFencingToken(key, record.id, record.fencingToken)) return record.stored || !isFinalState(record.state);
  // Parts of a resumable upload belong to whoever sends the next one.
  if (partOffset(key) !== undefined) return record.state === 'receiving';
  if (Object.values(record.variants).some((variant) => variant.key === key)) return true;
  // The present attempt writes a file first and names it then.
  return !isFinalState(record.state) && key.startsWith(`${attemptPrefix(record.id, record.attempt)}/`);
}
