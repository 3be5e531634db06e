import { ServiceError, type ErrorCode } from '../../errors.ts';

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

/** How the headers of the protocol are written. */
const FORMS: Readonly<Record<string, string>> = {
  'upload-length': 'Upload-Length is a number of bytes in decimal digits, given once.',
  'upload-offset': 'Upload-Offset is a number of bytes in decimal digits, given once.',
  'upload-defer-length': 'Upload-Defer-Length is 1, where it is given.',
  'upload-metadata':
    'Upload-Metadata are names, each once and with its value in base64 behind a blank, with commas between them.',
  'upload-length or upload-defer-length':
    'An upload is made with either Upload-Length or Upload-Defer-Length; its length is told once.',
};

/** The error behind an answer of the protocol's server that is not one of ours. */
export function tusError(status: number, body: string): ServiceError {
  const text = body.trim();
  if (MADE_WAY.test(text))
    return new ServiceError('upload_locked', 'Another request has taken over this upload. Try again.', {
      retryAfterMs: 1000,
    });
  const { code, detail } = BY_STATUS[status] ?? {
    code: 'internal_error' as const,
    detail: 'Something went wrong on our side.',
  };
  const wrongHeader = /^(?:Invalid ([\w-]+)|(.+) header required)$/.exec(text);
  const form = FORMS[(wrongHeader?.[1] ?? wrongHeader?.[2] ?? '').toLowerCase()];
  return new ServiceError(
    code,
    detail ?? form ?? (text === '' ? 'The request does not follow the tus protocol.' : `${text.replace(/\.$/, '')}.`),
  );
}
