import type { Logger } from '../src/telemetry/log.ts';
import { manifestOwner } from '../src/record/ownership.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import { manifestKey, originalKey } from '../src/storage/keys.ts';
import { manifestObject } from '../src/storage/manifest.ts';
import { putObject, type Storage } from '../src/storage/storage.ts';

/**
 * Writes the manifest of a queued upload from its record if it is missing. Without it the upload could not be restored
 * after Redis has lost its data. Never rejects, because the upload can be processed without it.
 */
export async function writeMissingManifest(storage: Storage, record: UploadRecord, log: Logger): Promise<void> {
  const { id, fencingToken, publicId, fileName, type, receivedBytes, sha256, options, createdAtMs } = record;
  try {
    if (type === null || (await storage.stat(manifestKey(id, fencingToken))) !== undefined) return;
    // A manifest means that the bytes are stored.
    if ((await storage.stat(originalKey(id, fencingToken))) === undefined) return;
    const createdAt = new Date(createdAtMs).toISOString();
    const manifest = { id, fencingToken, publicId, name: fileName, type, sizeBytes: receivedBytes, sha256, options };
    const { key, bytes } = manifestObject({
      ...manifest,
      ...manifestOwner(record),
      createdAt,
      sequence: record.version,
    });
    await putObject(storage, key, bytes);
    log.warn('manifest was missing, written from the record');
  } catch (error) {
    log.warn({ err: error }, 'manifest not checked');
  }
}
