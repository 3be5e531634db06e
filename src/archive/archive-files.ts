import { isFinalState } from '../wire/documents.ts';
import { ServiceError } from '../errors.ts';
import { extensionsOf } from '../kinds/file-extensions.ts';
import type { StoredVariant, UploadRecord } from '../record/record-fields.ts';
import { originalKey } from '../storage/keys.ts';
import { safeName, UniqueNames, withoutEnding } from './entry-names.ts';

/** Which files of the uploads an archive contains. */
export type ArchiveContent = 'original' | 'variants';

/** A stored file, with its name in the archive. */
export interface ArchiveFile {
  readonly uploadId: string;
  readonly key: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/**
 * Returns the files of an archive, in the order of the uploads. Throws the error of the first upload that has none:
 * `upload_unfinished` (409), `upload_cancelled`, `upload_discarded` (410), `content_not_stored` (409) or
 * `unknown_variant` (404).
 */
export function archiveFiles(records: readonly UploadRecord[], content: ArchiveContent): ArchiveFile[] {
  const names = new UniqueNames();
  return records.flatMap((record) => {
    requireFinished(record);
    return content === 'original' ? [originalOf(record, names)] : variantsOf(record, names);
  });
}

function requireFinished({ id, state }: UploadRecord): void {
  if (!isFinalState(state))
    throw new ServiceError(
      'upload_unfinished',
      'This upload is not finished. Wait for its result, or leave it out of the archive.',
      { id, retryAfterMs: 1000 },
    );
  if (state === 'cancelled' || state === 'discarded')
    throw new ServiceError(
      `upload_${state}`,
      'This upload was stopped and its bytes were removed. Leave it out of the archive.',
      { id, state },
    );
}

function originalOf(record: UploadRecord, names: UniqueNames): ArchiveFile {
  const { id, fencingToken, fileName, receivedBytes, createdAtMs, stored } = record;
  if (!stored)
    throw new ServiceError(
      'content_not_stored',
      'This file was rejected, so its bytes were not stored. Leave it out of the archive.',
      { id, state: record.state },
    );
  return {
    uploadId: id,
    key: originalKey(id, fencingToken),
    name: names.add(safeName(fileName)),
    sizeBytes: receivedBytes,
    modifiedAt: new Date(createdAtMs),
  };
}

/** Puts the variants of each upload into a folder, because those of all pictures have the same names. */
function variantsOf({ id, fileName, variants, updatedAtMs }: UploadRecord, names: UniqueNames): ArchiveFile[] {
  const files = Object.values(variants);
  if (files.length === 0)
    throw new ServiceError(
      'unknown_variant',
      'Nothing was made from this upload. Leave it out of the archive, or request the originals.',
      { id },
    );
  const folder = names.add(withoutEnding(fileName));
  return files.map((variant) => ({
    uploadId: id,
    key: variant.key,
    name: `${folder}/${fileNameOf(variant)}`,
    sizeBytes: variant.size,
    modifiedAt: new Date(updatedAtMs),
  }));
}

/** Adds the format to the name of a variant such as `640`. Other files have an ending of their own. */
function fileNameOf({ name, format }: StoredVariant): string {
  return name.includes('.') ? name : `${name}.${extensionsOf(`image/${format}`)[0] ?? format}`;
}
