import { ServiceError } from '../errors.ts';

/** What a reader of forms met, in the words of the service. `body_cut_short`, or else `bad_multipart` (400). */
export function asFormError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const message = error instanceof Error ? error.message : '';
  if (message === 'Unexpected end of form' || message === 'Unexpected end of file') {
    return new ServiceError(
      'body_cut_short',
      'The body ended before the closing boundary that Content-Type names. Send it again, whole.',
      { cause: error },
    );
  }
  return new ServiceError('bad_multipart', 'The headers of a part are malformed, or have more than 16384 bytes.', {
    cause: error,
  });
}

/** True for the media type of a form within a form. */
export function isForm(mimeType: string): boolean {
  return mimeType.startsWith('multipart/');
}

/** RFC 7578 section 4.3 has done away with them. */
export function nestedForm(): ServiceError {
  return new ServiceError(
    'bad_multipart',
    'A part is multipart itself. Send each file as a part of its own, under the same field name if need be.',
  );
}

/** True for bytes that are not as the file has them; RFC 7578 section 4.7 has done away with them too. */
export function isTransferEncoded(encoding: string): boolean {
  return /^(base64|quoted-printable)$/i.test(encoding.trim());
}

/** Such a part would be stored as the text that it is written in. */
export function transferEncoded(encoding: string): ServiceError {
  return new ServiceError(
    'unsupported_encoding',
    `A part is encoded as ${encoding.trim()}. Send its bytes as they are, without Content-Transfer-Encoding.`,
  );
}

/** True for what a field may be; all else is a file whose name is missing, as from a sender that says `filename=""`. */
export function isOfText(mimeType: string): boolean {
  return /^(text|application)\//.test(mimeType);
}

/** Says how to send a file, to one who sent it as a field. */
export function namelessFile(mimeType: string): ServiceError {
  return new ServiceError(
    'bad_multipart',
    `A part of type ${mimeType} has no file name. Give it one: Content-Disposition: form-data; name="file"; filename="…".`,
  );
}

/** One field is over its limit. */
export function fieldTooLarge(maxFieldBytes: number): ServiceError {
  return new ServiceError('field_too_large', `A field may have at most ${maxFieldBytes} bytes.`);
}

/** A file more than the limit. */
export function tooManyFiles(maxFiles: number): ServiceError {
  return new ServiceError('too_many_files', `At most ${maxFiles} files in one request.`);
}

/** A field more than the limit. */
export function tooManyFields(maxFields: number): ServiceError {
  return new ServiceError('too_many_fields', `At most ${maxFields} fields in one request.`);
}

/** A part more than both limits together, those that are neither file nor field among them. */
export function tooManyParts(maxParts: number): ServiceError {
  return new ServiceError('too_many_fields', `At most ${maxParts} parts in one request.`);
}
