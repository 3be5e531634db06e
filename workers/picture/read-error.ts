import { UnprocessableError } from '../unprocessable-error.ts';

/** The machine's troubles, as libvips words them. */
const OURS =
  /input file is missing|unable to open|out of memory|no space left|too many open files|input\/output error|permission denied/i;

/** Words that can only mean a missing end; most libraries word that and other damage alike. */
const CUT_SHORT = /premature end of jpeg image|unexpected end|not enough data/i;
const NOT_A_PICTURE = /unsupported image format/i;
const TOO_LARGE = /pixel limit|security limit|user limit/i;
const UNSUPPORTED = /unsupported (?!image format)|not supported|not configured|not implemented/i;

/**
 * What to throw for an error that came up while `libvips` read a file of the sender's: an
 * `UnprocessableError` where the file is to blame, and the error itself where the machine is.
 * No word of the library gets into the detail; it stays in the cause.
 */
export function readError(error: unknown): unknown {
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof UnprocessableError || OURS.test(words)) {
    return error;
  }
  return unprocessable(words, error);
}

function unprocessable(words: string, cause: unknown): UnprocessableError {
  if (TOO_LARGE.test(words)) {
    return new UnprocessableError('picture_too_large', 'The picture has more pixels than can be taken.', { cause });
  }
  if (UNSUPPORTED.test(words)) {
    const detail = 'The picture is written in a way that cannot be read here. Save it as JPEG or PNG and send that.';
    return new UnprocessableError('picture_unsupported', detail, { cause });
  }
  return new UnprocessableError('picture_damaged', damage(words), { cause });
}

function damage(words: string): string {
  if (CUT_SHORT.test(words)) {
    return 'The picture is cut short: the end of the file is missing. Send the whole file again.';
  }
  if (NOT_A_PICTURE.test(words)) {
    return 'The file is not a picture of a kind that can be read, or a part of it is missing.';
  }
  return 'The picture is damaged or incomplete and cannot be decoded.';
}
