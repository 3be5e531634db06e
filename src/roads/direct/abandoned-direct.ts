import { ServiceError } from '../../errors.ts';
import type { StoredPart } from '../../storage/direct-parts.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import { finishDirect, type FinishParts } from './finish-direct.ts';
import { bucketUpload, faultOfParts } from './join-parts.ts';
import type { DirectUploadRecord } from './part-plan.ts';
import { readStored, storedBytes } from './watch-stored.ts';

interface AbandonedParts extends FinishParts {
  /** An upload expires if no part was added for this time. */
  expiryMs: number;
}

/**
 * How the visit ended.
 * - `handled`: the upload is queued or has failed.
 * - `active`: parts were added, so it is due again later.
 * - `silent`: no part was added. It stays due until it expires.
 * - `expired`: no part was added for `expiryMs`. Its parts are removed, and the caller ends it.
 */
export type Visit = 'handled' | 'active' | 'silent' | 'expired';

/**
 * Handles a direct upload that was silent. If the bucket has all parts, it is finished, as
 * its sender would have done. Parts that were added move its progress.
 */
export async function visitDirect(parts: AbandonedParts, record: DirectUploadRecord, nowMs: number): Promise<Visit> {
  const stored = await readStored(parts, record);
  if (stored === undefined || faultOfParts(record, stored) === undefined) return await finish(parts, record, stored);
  if (storedBytes(record, stored) > record.receivedBytes) return 'active';
  if (nowMs - newestMs(record, stored) < parts.expiryMs) return 'silent';
  await parts.direct.abort(bucketUpload(record));
  return 'expired';
}

async function finish(
  parts: AbandonedParts,
  record: DirectUploadRecord,
  stored: readonly StoredPart[] | undefined,
): Promise<Visit> {
  try {
    await finishDirect(parts, record);
    parts.log.info({ upload: uploadRef(record.id) }, 'direct upload finished: its sender is gone');
    return 'handled';
  } catch (error) {
    // The bucket has neither the parts nor the object.
    if (error instanceof ServiceError && error.code === 'no_direct_upload') return 'expired';
    if (error instanceof ServiceError && error.state !== undefined) return 'handled';
    if (error instanceof ServiceError && error.code === 'bad_parts' && stored !== undefined) return 'silent';
    throw error;
  }
}

/** Returns the time of the newest part. A part that was sent again counts too. */
function newestMs({ createdAtMs }: DirectUploadRecord, stored: readonly StoredPart[]): number {
  return stored.reduce((newest, { storedAt }) => Math.max(newest, storedAt.getTime()), createdAtMs);
}
