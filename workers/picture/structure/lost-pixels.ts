import { UnprocessableError } from '../../unprocessable-error.ts';

/** The error for a file whose pixels are partly or wholly lost. */
export function lostPixels(cause?: unknown): UnprocessableError {
  const detail =
    'The picture is damaged: a part of its pixels is lost. Send the original again, or save it in another program.';
  return new UnprocessableError('picture_damaged', detail, { cause });
}
