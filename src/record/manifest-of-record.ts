import type { Manifest } from '../storage/manifest.ts';
import type { StoredUpload } from './open-record.ts';
import { manifestOwner } from './ownership.ts';
import type { UploadRecord } from './record-fields.ts';

/** Returns the manifest of a receiving upload whose bytes are stored. */
export function manifestOfRecord(record: UploadRecord, stored: StoredUpload): Manifest {
  const { id, fencingToken, publicId, fileName, createdAtMs, version: sequence } = record;
  const createdAt = new Date(createdAtMs).toISOString();
  return { id, fencingToken, publicId, name: fileName, createdAt, sequence, ...manifestOwner(record), ...stored };
}
