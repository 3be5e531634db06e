import { Buffer } from 'node:buffer';
import { HEIC_TYPES } from '../../../src/kinds/picture.ts';
import { wayToSrgb, type ColourMatrix, type WayToSrgb } from '../icc-profile.ts';
import type { Header } from '../libvips.ts';
import type { HeicHeader } from './messages.ts';

/** Numbers of ITU-T H.273, tables 2 and 3. */
const [BT_2020, DISPLAY_P3] = [9, 12];
const [PQ, HLG] = [16, 18];

/** To linear sRGB, by the primaries of a file. Others are close to those of sRGB. */
const MATRICES: ReadonlyMap<number, ColourMatrix> = new Map([
  [
    DISPLAY_P3,
    [
      [1.22494, -0.22494, 0],
      [-0.04206, 1.04206, 0],
      [-0.01964, -0.07864, 1.09828],
    ],
  ],
  [
    BT_2020,
    [
      [1.6605, -0.5876, -0.0729],
      [-0.1246, 1.1329, -0.0083],
      [-0.0182, -0.1006, 1.1188],
    ],
  ],
]);

/** True for the media types that libheif decodes. */
export function isHeic(type: string): boolean {
  return HEIC_TYPES.includes(type);
}

/**
 * Returns the header in the form that libvips gives for other pictures. libheif turns the picture as the container
 * says. The EXIF orientation repeats that for programs that cannot read the container, so it is not applied.
 */
export function headerOfHeic(type: string, heic: HeicHeader): Header & { readonly way: WayToSrgb } {
  const { width, height, hasAlpha, exif, icc } = heic;
  return {
    format: type === 'image/heif' ? 'heif' : 'heic',
    width,
    height,
    autoOrient: { width, height },
    hasAlpha,
    space: 'srgb',
    channels: hasAlpha ? 4 : 3,
    depth: 'uchar',
    ...(exif === undefined ? {} : { exif: Buffer.from(exif.buffer) }),
    ...(icc === undefined ? {} : { icc: Buffer.from(icc.buffer) }),
    way: wayOf(heic),
  };
}

/** A profile takes precedence over the numbers. */
function wayOf({ icc, primaries, transfer }: HeicHeader): WayToSrgb {
  if (icc !== undefined) return wayToSrgb(Buffer.from(icc.buffer));
  const matrix = primaries === undefined ? undefined : MATRICES.get(primaries);
  return matrix === undefined || transfer === PQ || transfer === HLG ? { kind: 'none' } : { kind: 'matrix', matrix };
}
