import type { FileWindow } from './file-window.ts';

const PNG_SIGNATURE_BYTES = 8;
const CHUNK_BYTES = 12;
/** The chunk that declares an animation must precede the pixels (PNG third edition, section 11.3.6). */
const [ANIMATION, PIXELS] = ['acTL', 'IDAT'];
/** Chunks before the pixels: a few are usual. */
const MAX_CHUNKS = 1000;

/** Brands of files with moving pictures (ISO/IEC 23008-12; AV1 image file format, section 6.3). */
const MOVING_BRANDS: readonly string[] = ['avis', 'hevc', 'hevx', 'msf1'];
const MAX_BRANDS_BYTES = 1024;

/** Returns whether a PNG, AVIF or HEIC has further frames, of which the libraries do not tell. */
export async function hasMoreFrames(window: FileWindow, type: string): Promise<boolean> {
  if (type === 'image/png') return await isAnimatedPng(window);
  return ['image/avif', 'image/heic', 'image/heif'].includes(type) && (await hasMovingBrand(window));
}

async function isAnimatedPng(window: FileWindow): Promise<boolean> {
  let at = PNG_SIGNATURE_BYTES;
  for (let chunks = 0; chunks < MAX_CHUNKS; chunks++) {
    const header = await window.read(at, 8);
    if (header === undefined) return false;
    const type = header.toString('latin1', 4, 8);
    if (type === ANIMATION || type === PIXELS) return type === ANIMATION;
    at += CHUNK_BYTES + header.readUInt32BE(0);
  }
  return false;
}

/** The file begins with its brands: the major one, a version, and the compatible ones. */
async function hasMovingBrand(window: FileWindow): Promise<boolean> {
  const size = (await window.read(0, 4))?.readUInt32BE(0) ?? 0;
  const brands = await window.read(0, Math.min(size, MAX_BRANDS_BYTES));
  if (brands === undefined) return false;
  for (let at = 8; at + 4 <= brands.length; at += 4)
    if (MOVING_BRANDS.includes(brands.toString('latin1', at, at + 4))) return true;
  return false;
}
