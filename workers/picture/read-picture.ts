import { headerOfHeic, isHeic } from './heic/heic-header.ts';
import { wayToSrgb, type WayToSrgb } from './icc-profile.ts';
import { readHeader, type Header } from './libvips.ts';
import { readError } from './read-error.ts';
import type { PictureInput } from './readable-input.ts';
import type { StepBounds } from './step-bounds.ts';
import type { PictureTools } from './tools.ts';

/** A header together with the way from its colours to sRGB. */
export interface ReadPicture extends Header {
  readonly way: WayToSrgb;
}

/** Reads the header of a picture with the library for its media type. Nothing is decoded. */
export async function readPicture(
  { heic, limits: { maxPixels } }: PictureTools,
  { path, input, type }: { path: string; input: PictureInput; type: string },
  bounds: StepBounds,
  signal: AbortSignal,
): Promise<ReadPicture> {
  if (isHeic(type))
    return headerOfHeic(type, await bounds.wait((maxSeconds) => heic.header(path, { maxPixels, maxSeconds, signal })));
  const header = await bounds
    .wait(() => readHeader(input))
    .catch((error: unknown) => {
      throw readError(error);
    });
  // libvips reports the container of AVIF. It cannot decode the other formats in that container.
  return { ...header, format: header.format === 'heif' ? 'avif' : header.format, way: wayOf(header) };
}

/** A picture with unusual channels or depth needs the colour management, with or without a profile. */
function wayOf({ icc, space, channels, depth }: Header): WayToSrgb {
  const isPlain = space === 'srgb' && depth === 'uchar' && channels >= 3;
  return isPlain && icc !== undefined ? wayToSrgb(icc) : { kind: 'managed' };
}
