import { Buffer } from 'node:buffer';
import { HEIC_TYPES } from '../../../src/kinds/picture.ts';
import { wayFromNumbers } from '../cicp.ts';
import { wayToSrgb, type WayToSrgb } from '../icc-profile.ts';
import type { Header } from '../libvips.ts';
import type { HeicHeader } from './messages.ts';

/** True for the media types that libheif decodes. */
export function isHeic(type: string): boolean {
  return HEIC_TYPES.includes(type);
}

/**
 * Returns the header in the form that libvips gives for other pictures. libheif turns the picture as the container
 * says. The EXIF orientation repeats that for programs that cannot read the container, so it is not applied.
 */
export function headerOfHeic(type: string, heic: HeicHeader): Header & { readonly way: WayToSrgb } {
  const { width, height, hasAlpha, pictures, exif, icc } = heic;
  return {
    format: type === 'image/heif' ? 'heif' : 'heic',
    width,
    height,
    autoOrient: { width, height },
    hasAlpha,
    pictures,
    space: 'srgb',
    channels: hasAlpha ? 4 : 3,
    depth: 'uchar',
    ...(exif === undefined ? {} : { exif: Buffer.from(exif.buffer) }),
    ...(icc === undefined ? {} : { icc: Buffer.from(icc.buffer) }),
    way: wayOf(heic),
  };
}

/** Returns the conversion of the colours. A profile takes precedence over the numbers. */
function wayOf(heic: HeicHeader): WayToSrgb {
  return heic.icc === undefined ? wayFromNumbers(heic) : wayToSrgb(Buffer.from(heic.icc.buffer));
}
