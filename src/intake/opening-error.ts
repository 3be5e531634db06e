import { ServiceError } from '../errors.ts';
import type { ChangeOutcome, RejectedChange } from '../record/change-outcome.ts';
import type { Admission } from './admission.ts';
import { rejectionToError } from './receive-progress.ts';

/** The functions that make the errors of limits. */
type Rejecting = Pick<Admission, 'rejection' | 'recordRejection' | 'limitRejection'>;

/**
 * Returns the error for an upload that could not be opened: `quota_exceeded` (429), `ticket_forbids` (403),
 * `too_many_records` (503), `too_many_records_by_address` (429), `upload_gone` (410), or as `capacityErrorOf`.
 * Undefined if the id has a stored upload.
 */
export async function openingError(
  admission: Rejecting,
  id: string,
  address: string,
  outcome: RejectedChange,
): Promise<ServiceError | undefined> {
  const { rejection, record } = outcome;
  if (rejection === 'records' || rejection === 'owned') return await admission.recordRejection(rejection);
  if (rejection === 'ticket')
    return new ServiceError(
      'ticket_forbids',
      'This ticket has created its maximum number of uploads. Get a new ticket.',
    );
  if (rejection === 'deleted' || rejection === 'expired') {
    return new ServiceError(
      'upload_gone',
      'The upload with this id was deleted or has expired. Send the file with a new id.',
      { id },
    );
  }
  if (rejection === 'final' && record !== undefined && record.state !== 'completed') return rejectionToError(outcome);
  return await capacityErrorOf(admission, address, outcome);
}

/**
 * Returns the error if there was no place for an upload: `quota_exceeded`, `too_many_queued_by_address` (429) or
 * `queue_full` (503). Otherwise undefined.
 */
export async function capacityErrorOf(
  admission: Rejecting,
  address: string,
  outcome: ChangeOutcome,
): Promise<ServiceError | undefined> {
  if (outcome.applied) return undefined;
  const { rejection, limit } = outcome;
  if (rejection === 'full' || rejection === 'quota') return await admission.rejection(rejection, address);
  return limit === undefined ? undefined : await admission.limitRejection(limit);
}

/** True for an error that concerns only one file of a form, because its owner may not begin another upload. */
export function isRefusalOfOwner(error: unknown): error is ServiceError {
  return error instanceof ServiceError && (error.code === 'quota_exceeded' || error.code === 'ticket_forbids');
}
