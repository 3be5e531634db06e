import { wayFromNumbers, type ColourNumbers } from './cicp.ts';
import { headerOfHeic, isHeic } from './heic/heic-header.ts';
import { wayToSrgb, type WayToSrgb } from './icc-profile.ts';
import { readHeader, type Header } from './libvips.ts';
import { readError } from './read-error.ts';
import type { PictureInput } from './readable-input.ts';
import type { StepBounds } from './step-bounds.ts';
import type { PictureTools } from './tools.ts';

/** A header together with the way from its colours to sRGB. */
interface ReadPicture extends Header {
  readonly way: WayToSrgb;
}

/** A picture whose header is to be read. */
interface PictureToRead {
  readonly path: string;
  readonly input: PictureInput;
  readonly type: string;
  /** The colours of an AVIF or PNG by numbers. Undefined if there are none. */
  readonly colours: ColourNumbers | undefined;
}

/** Reads the header of a picture with the library for its media type. Nothing is decoded. */
export async function readPicture(
  { heic, limits: { maxPixels } }: PictureTools,
  { path, input, type, colours }: PictureToRead,
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
  const way = wayOf(header, colours);
  // Its pages are separate pictures, as in a HEIC.
  return header.format === 'heif'
    ? { ...header, format: 'avif', pages: 1, pictures: header.pages, way }
    : { ...header, way };
}

/**
 * The numbers of a file count if it has no profile, and has colours. A picture with unusual channels or depth needs the
 * colour management, with or without a profile.
 */
function wayOf({ icc, space, channels, depth }: Header, colours: ColourNumbers | undefined): WayToSrgb {
  if (icc === undefined && colours !== undefined && channels >= 3) return wayFromNumbers(colours);
  const isPlain = space === 'srgb' && depth === 'uchar' && channels >= 3;
  return isPlain && icc !== undefined ? wayToSrgb(icc) : { method: 'managed' };
}
