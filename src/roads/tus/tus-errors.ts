import { ServiceError, type ErrorCode } from '../../errors.ts';

/** The detail of `unknown_upload` (404) in this protocol. */
export const UNKNOWN_DETAIL = 'There is no resumable upload with this id. Create one with POST /files.';

/** The errors for answers of @tus/server that have only a status. */
const BY_STATUS: Readonly<Record<number, { code: ErrorCode; detail?: string }>> = {
  400: { code: 'bad_request' },
  403: { code: 'bad_request' },
  404: { code: 'unknown_upload', detail: UNKNOWN_DETAIL },
  409: {
    code: 'offset_conflict',
    detail: 'Upload-Offset is not the offset of the upload. Read the offset with HEAD and continue there.',
  },
  410: { code: 'upload_gone', detail: 'The upload has expired. Send the file again.' },
  413: {
    code: 'file_too_large',
    detail: 'The body has more bytes than Upload-Length announces. Send exactly the announced bytes.',
  },
  501: { code: 'unsupported_tus_extension' },
};

/** An aborted request yields to another one. With a plain 400, clients would give up. */
const ABORTED = /^Request aborted/;

/** The details for malformed headers of the protocol. */
const FORMS: Readonly<Record<string, string>> = {
  'upload-length': 'Upload-Length must appear once and be a whole number of bytes.',
  'upload-offset': 'Upload-Offset must appear once and be a whole number of bytes.',
  'upload-defer-length': 'Upload-Defer-Length must be 1 or missing.',
  'upload-metadata':
    'Upload-Metadata must be a list with commas. Each entry is a different name, a space and a value in base64.',
  'upload-length or upload-defer-length':
    'An upload needs either Upload-Length or Upload-Defer-Length. Its length can be set only once.',
};

/** Converts an error answer of @tus/server that this service has not caused. */
export function tusError(status: number, body: string): ServiceError {
  const text = body.trim();
  if (ABORTED.test(text))
    return new ServiceError(
      'upload_locked',
      'Another request has replaced this one. Retry after the time in Retry-After.',
      { retryAfterMs: 1000 },
    );
  const { code, detail } = BY_STATUS[status] ?? {
    code: 'internal_error' as const,
    detail: 'The server has an internal error. Retry, and report it if it happens again.',
  };
  const wrongHeader = /^(?:Invalid ([\w-]+)|(.+) header required)$/.exec(text);
  const form = FORMS[(wrongHeader?.[1] ?? wrongHeader?.[2] ?? '').toLowerCase()];
  return new ServiceError(
    code,
    detail ??
      form ??
      (text === ''
        ? 'The request does not follow the tus protocol. Correct it and send it again.'
        : `${text.replace(/\.$/, '')}.`),
  );
}
