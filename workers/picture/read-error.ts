import { UnprocessableError } from '../unprocessable-error.ts';

/** Messages of libvips for problems of the machine, not of the file. */
const NO_ACCESS = /input file is missing|unable to open|permission denied|input\/output error/i;
const EXHAUSTED = /out of memory|no space left|too many open files/i;

/**
 * Messages that always mean a truncated file. Most other messages do not say whether the file is truncated or damaged.
 */
const CUT_SHORT = /premature end of jpeg image|unexpected end|not enough data/i;
const NOT_A_PICTURE = /unsupported image format/i;
const TOO_LARGE = /pixel limit|security limit|user limit/i;
const UNSUPPORTED =
  /unsupported (?!image format|marker)|(?<!dnl )not supported|not configured|not implemented|channel limit/i;
/** Messages about intact TIFF files with unusual pixels. */
const UNUSUAL_TIFF = /whole number of bytes|samples out of range|bad labq|can ?not handle image|no known route/i;

/**
 * Returns the error to throw for an error of libvips while it read a file: an `UnprocessableError` if the file is to
 * blame, and the same error if the machine is. The message of libvips is kept only as the cause, and is never shown to
 * the sender.
 */
export function readError(error: unknown): unknown {
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof UnprocessableError || NO_ACCESS.test(words) || EXHAUSTED.test(words)) {
    return error;
  }
  return unprocessable(words, error);
}

function unprocessable(words: string, cause: unknown): UnprocessableError {
  if (TOO_LARGE.test(words)) {
    return new UnprocessableError(
      'picture_too_large',
      'The picture has more pixels than are accepted. Make it smaller and upload it again.',
      { cause },
    );
  }
  if (UNSUPPORTED.test(words) || UNUSUAL_TIFF.test(words)) {
    const detail = 'The picture uses a feature that is not supported. Save it as JPEG or PNG and upload the new file.';
    return new UnprocessableError('picture_unsupported', detail, { cause });
  }
  return new UnprocessableError('picture_damaged', damage(words), { cause });
}

function damage(words: string): string {
  if (CUT_SHORT.test(words)) {
    return 'The picture is incomplete: the end of the file is missing. Upload the whole file again.';
  }
  if (NOT_A_PICTURE.test(words)) {
    return (
      'The file is not a picture in a supported format, or a part of it is missing. Save it as JPEG or PNG and ' +
      'upload it.'
    );
  }
  return 'The picture is damaged and cannot be decoded. Upload the original again, or save it as JPEG or PNG.';
}
