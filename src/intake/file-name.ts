import { UNNAMED_FILE } from '../record/upload-document.ts';

/** Common file systems allow names of at most this length. */
const MAX_NAME_BYTES = 255;

/** Control characters, lone surrogates, line separators and direction marks. The joiners of emoji are kept. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\uFEFF]/gu;

/**
 * Returns a name for display and downloads: without a path and without characters that are not visible, at most 255
 * bytes of UTF-8. It never becomes part of a path.
 */
export function cleanFileName(raw: string): string {
  const lastSegment = raw.split(/[/\\]/).at(-1) ?? '';
  const visible = lastSegment.normalize('NFC').replace(UNSHOWABLE, '').trim();
  const name = cutToBytes(visible, MAX_NAME_BYTES);
  return name === '' || name === '.' || name === '..' ? UNNAMED_FILE : name;
}

/** Cuts between characters and keeps the ending, because people recognize the type by it. */
export function cutToBytes(name: string, maxBytes: number): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const ending = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  let cut = '';
  let bytes = Buffer.byteLength(ending);
  for (const character of name.slice(0, name.length - ending.length)) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    cut += character;
  }
  return cut + ending;
}
