import { fileTypeFromBuffer } from 'file-type';

/** As many bytes from the start of a file as its type is told from. */
export const SNIFF_BYTES = 4100;

/** A PNG that moves is a PNG to whoever does not know better, as its makers meant it to be. */
const MOVING_PNG = 'image/apng';

/**
 * The two byte orders of TIFF and of its large form. file-type looks on for the raw pictures of cameras, which begin
 * alike: in the table of tags, which most writers put at the end of the file.
 */
const TIFF_SIGNATURES = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];

/**
 * Returns the media type of the bytes themselves, undefined if no known signature fits. Never reads a name or a header.
 * Reads the first `SNIFF_BYTES` only, however many the caller has, so that every road gives the same answer.
 */
export async function sniffType(bytes: Buffer): Promise<string | undefined> {
  const head = bytes.subarray(0, SNIFF_BYTES);
  const mime = signedType(head, (await fileTypeFromBuffer(head))?.mime);
  if (mime === MOVING_PNG) return 'image/png';
  if (mime === undefined && TIFF_SIGNATURES.includes(head.toString('latin1', 0, 4))) return 'image/tiff';
  const mayBeText = mime === undefined || mime === 'application/xml';
  return mayBeText && isSvg(head.toString('utf8')) ? 'image/svg+xml' : mime;
}

/** Tables may begin with the three letters that file-type knows a GIF by, and texts in UTF-32 with the bits of an MP3. */
function signedType(head: Buffer, mime: string | undefined): string | undefined {
  if (mime === 'image/gif' && !/^GIF8[79]a/.test(head.toString('latin1', 0, 6))) return undefined;
  return mime === 'audio/mpeg' && head.subarray(0, 4).equals(UTF_32_MARK) ? undefined : mime;
}

const UTF_32_MARK = Buffer.from([0xff, 0xfe, 0, 0]);

/** What may stand before the one element that makes a text a drawing. */
const PROLOGUE = [
  ['<?', '?>'],
  ['<!--', '-->'],
  ['<!DOCTYPE svg', '>'],
] as const;

/** In steps, since one pattern for all of it would need quadratic time for a text made for that. */
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
