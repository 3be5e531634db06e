import type { Logger } from '../src/telemetry/log.ts';
import { manifestOfRecord } from '../src/record/manifest-of-record.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import { manifestKey, originalKey, partOffset, uploadPrefix } from '../src/storage/keys.ts';
import { manifestObject } from '../src/storage/manifest.ts';
import { putObject, type Storage } from '../src/storage/storage.ts';

/**
 * Writes the manifest of a queued upload from its record if it is missing. Without it the upload could not be restored
 * after Redis has lost its data. Never rejects, because the upload can be processed without it.
 */
export async function writeMissingManifest(storage: Storage, record: UploadRecord, log: Logger): Promise<void> {
  const { id, fencingToken, type, options, receivedBytes: sizeBytes, sha256 } = record;
  try {
    if (type === null || (await storage.stat(manifestKey(id, fencingToken))) !== undefined) return;
    // A manifest means that the bytes are stored.
    if (!(await hasBytes(storage, id, fencingToken))) return;
    const { key, bytes } = manifestObject(manifestOfRecord(record, { type, options, sizeBytes, sha256 }));
    await putObject(storage, key, bytes);
    log.warn('manifest was missing, written from the record');
  } catch (error) {
    log.warn({ err: error }, 'manifest not checked');
  }
}

/** True if the uploaded file is stored, as a whole or as the parts of a resumable upload that are joined later. */
async function hasBytes(storage: Storage, id: string, fencingToken: string): Promise<boolean> {
  if ((await storage.stat(originalKey(id, fencingToken))) !== undefined) return true;
  for await (const { key } of storage.list(uploadPrefix(id))) if (partOffset(key) !== undefined) return true;
  return false;
}
