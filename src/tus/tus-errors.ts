import { ServiceError, type ErrorCode } from '../errors.ts';

/** What the protocol's server answers with a bare status, in the words of this service. */
const BY_STATUS: Readonly<Record<number, { code: ErrorCode; detail?: string }>> = {
  400: { code: 'bad_request' },
  403: { code: 'bad_request' },
  404: { code: 'unknown_upload', detail: 'There is no resumable upload with this id.' },
  409: { code: 'offset_conflict', detail: 'Upload-Offset is not where the upload is. Ask for it with HEAD.' },
  410: { code: 'upload_gone', detail: 'The upload has expired. Send the file again.' },
  413: { code: 'file_too_large', detail: 'These are more bytes than Upload-Length has announced.' },
  501: { code: 'unsupported_tus_extension' },
};

/** Aborted requests make way for another one; as a plain 400 clients would take them for hopeless. */
const MADE_WAY = /^Request aborted/;

/** The error behind an answer of the protocol's server that is not one of ours. */
export function tusError(status: number, body: string): ServiceError {
  const text = body.trim();
  if (MADE_WAY.test(text)) return new ServiceError('upload_locked', 'Another request has taken over this upload. Try again.', { retryAfterMs: 1000 });
  const { code, detail } = BY_STATUS[status] ?? { code: 'internal_error' as const, detail: 'Something went wrong on our side.' };
  return new ServiceError(code, detail ?? (text === '' ? 'The request does not follow the tus protocol.' : `${text.replace(/\.$/, '')}.`));
}
