import { fileTypeFromBuffer } from 'file-type';
import { hasBrand } from '../kinds/media-brands.ts';
import { rawTypeOf } from './raw-picture-watch.ts';

/** The type of a file is determined from this many bytes at its start. */
export const SNIFF_BYTES = 4100;

/** An animated PNG. Readers without support for it read it as a PNG. */
const MOVING_PNG = 'image/apng';

/**
 * A PNG that Xcode has changed for iPhone apps. Its first chunk is `CgBI`, its pixels are packed in another way, and
 * only programs of Apple read it. There is no registered type.
 */
const IPHONE_PNG = 'image/x-iphone-png';

/**
 * The two byte orders of TIFF and BigTIFF. Raw pictures of cameras begin with the same bytes. `file-type` distinguishes
 * them by the number of tags or by a tag that other programs write too, so its answer is used only for CR2.
 */
const TIFF_SIGNATURES = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];
const CANON_RAW = 'image/x-canon-cr2';
const TIFF = 'image/tiff';

/**
 * Returns the media type of the bytes, undefined if they have no known signature. The name and the headers do not
 * matter. Only the first `SNIFF_BYTES` are read, so that every protocol gives the same result.
 */
export async function sniffType(bytes: Buffer): Promise<string | undefined> {
  const head = bytes.subarray(0, SNIFF_BYTES);
  const mime = signedType(head, (await fileTypeFromBuffer(head))?.mime);
  if (mime === 'image/png' || mime === MOVING_PNG)
    return head.toString('latin1', 12, 16) === 'CgBI' ? IPHONE_PNG : 'image/png';
  if (mime !== CANON_RAW && TIFF_SIGNATURES.includes(head.toString('latin1', 0, 4))) return rawTypeOf(head) ?? TIFF;
  const mayBeText = mime === undefined || mime === 'application/xml';
  return mayBeText && isSvg(head.toString('utf8')) ? 'image/svg+xml' : mime;
}

const AVIF = 'image/avif';
/** Types that `file-type` may report for an AVIF with a shared brand, such as `mif1` or `miaf`. */
const SHARED_BRANDS: readonly (string | undefined)[] = ['image/heif', 'image/heif-sequence', 'video/mp4'];

/** Brands of pictures in HEVC (ISO/IEC 23008-12, annex B.4). */
const HEVC_BRANDS = ['heic', 'heix', 'heim', 'heis'];

/** Returns the type of an AVIF. A moving one counts as an AVIF only if it has a still picture too. */
function avifType(head: Buffer, mime: string | undefined): string | undefined {
  if (mime === AVIF) return hasBrand(head, ['avif', 'mif1', 'miaf']) ? AVIF : 'image/avif-sequence';
  const isAvif = SHARED_BRANDS.includes(mime) && hasBrand(head, ['avif', 'avis']) && !hasBrand(head, HEVC_BRANDS);
  return isAvif ? AVIF : undefined;
}

/** True if the file may be a HEIC. A moving one counts if it has a still picture too. */
function mayBeHeic(mime: string | undefined): boolean {
  return mime === 'image/heic-sequence' || SHARED_BRANDS.includes(mime);
}

/** Corrects `file-type`, which takes a table that begins with GIF for a GIF, and a text in UTF-32 for an MP3. */
function signedType(head: Buffer, mime: string | undefined): string | undefined {
  const avif = avifType(head, mime);
  if (avif !== undefined) return avif;
  if (mayBeHeic(mime) && hasBrand(head, HEVC_BRANDS)) return 'image/heic';
  if (mime === 'image/gif' && !/^GIF8[79]a/.test(head.toString('latin1', 0, 6))) return undefined;
  return mime === 'audio/mpeg' && head.subarray(0, 4).equals(UTF_32_MARK) ? undefined : mime;
}

const UTF_32_MARK = Buffer.from([0xff, 0xfe, 0, 0]);

/** Matches everything that may precede the root element of an SVG. */
const PROLOGUE = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<!DOCTYPE svg', '>'],
] as const;

/** Reads step by step. One regular expression would need quadratic time for a hostile text. */
function isSvg(text: string): boolean {
  let rest = text.replace(/^\uFEFF/, '').trimStart();
  for (;;) {
    const part = PROLOGUE.find(([begin]) => rest.startsWith(begin));
    if (part === undefined) return /^<(?:svg:)?svg[\s/>]/.test(rest);
    const subset = /^<!DOCTYPE[^<>[]*\[[^\]]*\]/.exec(rest)?.[0].length ?? 0;
    const end = rest.indexOf(part[1], subset);
    if (end === -1) return false;
    rest = rest.slice(end + part[1].length).trimStart();
  }
}
