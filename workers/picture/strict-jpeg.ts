import { Buffer } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { UnprocessableError } from '../unprocessable-error.ts';
import { decodeStrictly } from './decode-strictly.ts';
import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import { readError } from './read-error.ts';
import { MAX_CHANGED_BYTES, type PictureInput } from './readable-input.ts';
import { cleanJpeg } from './structure/clean-jpeg.ts';
import { lostPixels } from './structure/lost-pixels.ts';

/** Warnings of the JPEG decoder about pixels that are lost. It fills them with grey. */
const LOST_PIXELS =
  /premature end of data segment|bad huffman code|bad arithmetic code|found marker \w+ instead of RST/i;

/**
 * Superfluous bytes before a marker other than the end. After a clean header they are the rest of damaged pixels.
 * Some encoders write such bytes before the end of the file, which is harmless.
 */
const SUPERFLUOUS = /extraneous bytes before marker 0x(?!d9)/i;

/** The mark of the end is missing, and perhaps more. */
const NO_END = /premature end of jpeg image/i;
const MARK = 0xff;
const END = Buffer.from([MARK, 0xd9]);

interface JpegForm {
  /** True if only segments precede the first scan. */
  readonly hasCleanHeader: boolean;
  /** True if one scan has all pixels. */
  readonly hasOneScan: boolean;
  /** True if the last bytes of the file are zeros. */
  readonly endsInZeros: boolean;
}

/**
 * Decodes a JPEG and rejects with `picture_damaged` if pixels are lost. The library reports them only as warnings, and
 * only the first warning of a file. After a harmless one the picture is decoded again, without its fault if possible,
 * so that later warnings count too.
 */
export async function decodeJpegStrictly(
  input: PictureInput,
  settings: DecodeSettings,
  form: JpegForm,
): Promise<Pixels> {
  const bytes = form.endsInZeros ? await bytesOf(input) : undefined;
  if (bytes === undefined) return await decodeChecked(input, settings, form);
  const whole = withoutZeros(bytes);
  const clean = cleanJpeg(whole);
  const hasCleanHeader = form.hasCleanHeader || clean !== undefined;
  return await decodeChecked(clean ?? whole, settings, { ...form, hasCleanHeader });
}

async function decodeChecked(input: PictureInput, settings: DecodeSettings, form: JpegForm): Promise<Pixels> {
  return await decodeStrictly(input, settings, async (words, error) => {
    if (LOST_PIXELS.test(words) || (form.hasCleanHeader && SUPERFLUOUS.test(words))) throw lostPixels(error);
    if (NO_END.test(words)) return await decodeWithEnd(input, settings, form.hasOneScan, error);
    const clean = await withoutFaults(input);
    const cleanForm = { ...form, hasCleanHeader: true };
    return clean === undefined ? await decode(input, settings) : await decodeChecked(clean, settings, cleanForm);
  });
}

/**
 * Decodes a JPEG with an end mark added, because some cameras write none. It does so only if all pixels are in one
 * scan: a picture of several scans that lacks the last one is only coarser, which the library does not report. The
 * first attempt had no other warning, so any warning now is about the end.
 * @param error the error of the first attempt, which is thrown if the picture is damaged
 */
async function decodeWithEnd(
  input: PictureInput,
  settings: DecodeSettings,
  hasOneScan: boolean,
  error: unknown,
): Promise<Pixels> {
  const bytes = hasOneScan ? await bytesOf(input) : undefined;
  if (bytes === undefined) throw error;
  return await decodeStrictly(Buffer.concat([bytes, END]), settings, (_words, other) => {
    const cause = readError(other);
    throw cause instanceof UnprocessableError && cause.code === 'picture_damaged' ? error : other;
  });
}

/**
 * Returns a JPEG without the zeros at its end. A zero after a byte of 255 stays, because it belongs to the pixels. The
 * zeros may fill a lost part. The library does not report that, because zeros are valid codes of pixels.
 */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, bytes[end - 1] === MARK ? end + 1 : end);
}

async function withoutFaults(input: PictureInput): Promise<Buffer | undefined> {
  const bytes = typeof input === 'string' ? await bytesOf(input) : undefined;
  return bytes === undefined ? undefined : cleanJpeg(bytes);
}

/** Returns undefined for a file that is too large to be changed. */
async function bytesOf(input: PictureInput): Promise<Buffer | undefined> {
  if (typeof input !== 'string') return input;
  return (await stat(input)).size > MAX_CHANGED_BYTES ? undefined : await readFile(input);
}
