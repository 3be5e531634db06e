import { ServiceError } from '../../errors.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import type { UploadRecords } from '../../record/record.ts';
import { UNKNOWN_DETAIL } from './tus-errors.ts';

/**
 * Returns the record of a resumable upload. Throws `unknown_upload` (404), and `upload_gone`, `upload_cancelled` or
 * `upload_discarded` (410) for an upload that has ended without its bytes.
 */
export async function existingUpload(records: Pick<UploadRecords, 'read'>, id: string): Promise<UploadRecord> {
  const record = (await records.read(id))?.record;
  // An upload of a single request is not visible to this protocol.
  if (record === undefined || (record.metadata === null && !record.deleted))
    throw new ServiceError('unknown_upload', UNKNOWN_DETAIL, { id });
  if (record.deleted)
    throw new ServiceError('upload_gone', 'This upload was deleted. Send the file as a new upload.', { id });
  if (record.state === 'cancelled')
    throw new ServiceError(
      'upload_cancelled',
      'The upload was cancelled. Send the file as a new upload if you still need it.',
      { id, state: 'cancelled' },
    );
  if (record.state === 'discarded')
    throw new ServiceError(
      'upload_discarded',
      'The queue was full, so this upload was discarded. Send the file again.',
      { id, state: 'discarded' },
    );
  if (record.state === 'failed' && !record.stored) {
    throw new ServiceError('upload_gone', `The upload has failed. ${record.error?.detail ?? 'Send the file again.'}`, {
      id,
      state: 'failed',
    });
  }
  return record;
}
