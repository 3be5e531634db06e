import type { ColourMatrix, HdrCurve, WayToSrgb } from './icc-profile.ts';

/** Numbers of ITU-T H.273, tables 2 and 3. */
const [BT_2020, DCI_P3, DISPLAY_P3] = [9, 11, 12];
const CURVES: ReadonlyMap<number, HdrCurve> = new Map([
  [16, 'pq'],
  [18, 'hlg'],
]);

const P3_TO_SRGB: ColourMatrix = [
  [1.22494, -0.22494, 0],
  [-0.04206, 1.04206, 0],
  [-0.01964, -0.07864, 1.09828],
];

/** Matrices to linear sRGB by the primaries of a file. Other primaries are close to those of sRGB. */
const PRIMARIES_TO_SRGB: ReadonlyMap<number, ColourMatrix> = new Map([
  [DCI_P3, P3_TO_SRGB],
  [DISPLAY_P3, P3_TO_SRGB],
  [
    BT_2020,
    [
      [1.6605, -0.5876, -0.0729],
      [-0.1246, 1.1329, -0.0083],
      [-0.0182, -0.1006, 1.1188],
    ],
  ],
]);

const SAME_PRIMARIES: ColourMatrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** The colours of an AVIF, HEIC or PNG. */
export interface ColourNumbers {
  /** Numbers of ITU-T H.273, tables 2 and 3. Undefined: the file does not say. */
  readonly primaries: number | undefined;
  readonly transfer: number | undefined;
  /** Bits per channel. */
  readonly bits: number;
}

/**
 * Returns the conversion for a picture that names its colours by numbers and has no profile. The curves of television
 * count as that of sRGB, as in browsers.
 */
export function wayFromNumbers({ primaries, transfer, bits }: ColourNumbers): WayToSrgb {
  const matrix = primaries === undefined ? undefined : PRIMARIES_TO_SRGB.get(primaries);
  const curve = transfer === undefined ? undefined : CURVES.get(transfer);
  if (curve !== undefined) return { method: 'hdr', curve, matrix: matrix ?? SAME_PRIMARIES, bits };
  return matrix === undefined ? { method: 'none' } : { method: 'matrix', matrix };
}
