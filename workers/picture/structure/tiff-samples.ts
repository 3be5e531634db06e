import { UnprocessableError } from '../../unprocessable-error.ts';
import type { FileWindow } from './file-window.ts';
import { hasTiffPageAfter, readTiffDirectory, readTiffHeader, tiffNumbers } from './tiff-directory.ts';

/** Tags of TIFF 6.0, section 8, and of its supplements. */
const [BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, SAMPLE_FORMAT] = [258, 259, 262, 277, 339];
const SUBSAMPLING = 530;
const [SUBFILE_TYPE, SUB_DIRECTORIES] = [254, 330];
const REDUCED = 1;

const OLD_JPEG = 6;
const JPEG = 7;
/**
 * The compressions that libvips can read: none, CCITT, LZW, JPEG, deflate, NeXT, PackBits, ThunderScan, deflate of
 * Adobe, and WebP.
 */
const READABLE: readonly number[] = [1, 2, 3, 4, 5, JPEG, 8, 32_766, 32_771, 32_773, 32_809, 32_946, 50_001];
const UNSIGNED = 1;
const [YCBCR, CIELAB, ICCLAB, ITULAB] = [6, 8, 9, 10];

/** The names of the values of `SampleFormat` that are not unsigned integers. */
const FORMATS: ReadonlyMap<number, string> = new Map([
  [2, 'signed numbers'],
  [3, 'floating-point numbers'],
  [5, 'complex numbers'],
  [6, 'complex numbers'],
]);

/**
 * Checks how the first page of a TIFF stores its pixels, because libvips reads some kinds as black, white or wrong
 * colours without an error. Throws `picture_unsupported` for them, and for the kinds that it cannot read although the
 * file is intact.
 */
export async function checkTiffSamples(window: FileWindow): Promise<void> {
  const header = await readTiffHeader(window);
  if (header === undefined) return;
  const directory = await readTiffDirectory(window, header.layout, header.first);
  const numbers = async (tag: number) => await tiffNumbers(window, header.layout, directory.get(tag));
  const [[compression = 1], [photometric = 1], [samples = 1], [format = UNSIGNED]] = await Promise.all([
    numbers(COMPRESSION),
    numbers(PHOTOMETRIC),
    numbers(SAMPLES),
    numbers(SAMPLE_FORMAT),
  ]);
  const bits = await numbers(BITS);
  const isLab = photometric === CIELAB;
  const formatName = FORMATS.get(format);
  const [subfileType = 0] = await numbers(SUBFILE_TYPE);
  const hasPicture = directory.has(SUB_DIRECTORIES) || (await hasTiffPageAfter(window, header.layout, header.first));
  if ((subfileType & REDUCED) !== 0 && hasPicture) throw unsupported('begins with a small preview of the picture');
  if (compression === OLD_JPEG) throw unsupported('is compressed as JPEG in the way that TIFF gave up in 1995');
  if (!READABLE.includes(compression)) throw unsupported(`has the compression ${compression}, which is not supported`);
  if (formatName !== undefined && !isLab) throw unsupported(`stores its colours as ${formatName}`);
  if (!bits.every((count) => areReadable(count, samples)))
    throw unsupported(`has ${[...new Set(bits)].join(', ')} bits per channel, which is not supported`);
  const isPackedLab = isLab && bits[0] === 8;
  if (isPackedLab || photometric === ICCLAB || photometric === ITULAB)
    throw unsupported('stores its colours as CIELAB');
  const subsampling = await numbers(SUBSAMPLING);
  if (photometric === YCBCR && compression !== JPEG && subsampling[0] === 1 && subsampling[1] === 1)
    throw unsupported('stores its colours as YCbCr without JPEG');
}

/** Returns whether libvips can read this number of bits. It reads fewer than eight only if the page has one channel. */
function areReadable(bits: number, samples: number): boolean {
  return bits === 8 || bits === 16 || (samples === 1 && [1, 2, 4].includes(bits));
}

function unsupported(what: string): UnprocessableError {
  return new UnprocessableError(
    'picture_unsupported',
    `The TIFF ${what}. Save it as TIFF with 8 or 16 bits per channel in RGB, or as JPEG or PNG, and upload that file.`,
  );
}
