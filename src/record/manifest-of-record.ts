import type { Manifest } from '../storage/manifest.ts';
import type { StoredUpload } from './open-record.ts';
import { manifestOwner } from './ownership.ts';
import type { UploadRecord } from './record-fields.ts';

/** Returns the manifest of an upload whose bytes are stored. */
export function manifestOfRecord(record: UploadRecord, stored: StoredUpload): Manifest {
  const { id, fencingToken, publicId, fileName, createdAtMs, version: sequence, announcedSha256 } = record;
  const createdAt = new Date(createdAtMs).toISOString();
  const announced = stored.sha256 === null && announcedSha256 !== null ? { announcedSha256 } : {};
  const known = { id, fencingToken, publicId, name: fileName, createdAt, sequence };
  return { ...known, ...announced, ...manifestOwner(record), ...stored };
}
