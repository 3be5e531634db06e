import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { withoutBrokenProfile } from './broken-profile.ts';
import { isHeic } from './heic/heic-header.ts';
import { claimablePixels } from './jpeg-limits.ts';
import { fromGamma, toFullRange } from './levels.ts';
import { decode as decodeFile, type DecodeSettings, type Pixels } from './libvips.ts';
import { FRAMES_DAMAGED, PROFILE_IGNORED } from './picture-warnings.ts';
import { readError } from './read-error.ts';
import type { PictureInput } from './readable-input.ts';
import type { PictureState } from './state.ts';
import { decodeGifStrictly } from './strict-gif.ts';
import { decodeJpegStrictly } from './strict-jpeg.ts';
import { decodeTiffStrictly } from './strict-tiff.ts';
import { toSrgb } from './to-srgb.ts';
import type { WayToSrgb } from './icc-profile.ts';
import type { ContainerFacts } from './container-facts.ts';
import { toneMap } from './tone-map.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/** The words for a file that takes too long to read. */
export const SLOW_TO_READ = {
  does: 'Reading the picture',
  advice: 'Make the picture smaller or save it as JPEG, and upload it again.',
};

/** Creates the step that decodes the picture once: at the size of the largest variant, upright, in sRGB. */
export function decode(tools: PictureTools) {
  return async (state: PictureState, { inputPath, upload, signal }: StepContext): Promise<void> => {
    const bounds = boundsOf(tools, signal, SLOW_TO_READ);
    const { format } = state.facts.get();
    const maxPixels = claimablePixels(format, tools.limits.maxPixels);
    const way = state.wayToSrgb.get();
    const { mayBeClear, gamma } = state.container.get();
    const settings = {
      size: state.plan.get().decoded,
      appliesProfile: way.method === 'managed',
      maxPixels,
      isDeep: way.method === 'hdr' || gamma?.bits === 16,
      keptChannels: state.keptChannels.get(),
    };
    const input = isHeic(upload.type)
      ? await bounds.wait((maxSeconds) =>
          tools.heic.pixels(inputPath, { maxPixels, maxSeconds, signal }, settings.isDeep),
        )
      : state.input.get();
    const run = async (work: (maxSeconds: number) => Promise<Pixels>): Promise<Pixels> =>
      await bounds.wait(work).catch((error: unknown) => {
        throw readError(error);
      });
    const pixels = await run((maxSeconds) => decodeStrictly(state, input, { ...settings, maxSeconds }));
    if (!mayBeClear && isAllClear(pixels)) throw noPixels();
    const decodePlain = async (): Promise<Pixels> =>
      await run((maxSeconds) => decodeFile(input, { ...settings, appliesProfile: false, maxSeconds }));
    const plain = state.costly.get().isManaged ? await withoutBrokenProfile(pixels, decodePlain) : undefined;
    if (plain !== undefined) state.warnings.push(PROFILE_IGNORED);
    state.decoded.set(await inSrgb(plain ?? pixels, way, state.container.get()));
  };
}

/** Decodes the picture and rejects if pixels are lost. For some formats the library reports that only as a warning. */
async function decodeStrictly(state: PictureState, input: PictureInput, settings: DecodeSettings): Promise<Pixels> {
  const { format, frames } = state.facts.get();
  switch (format) {
    case 'jpeg':
      return await decodeJpegStrictly(input, settings, {
        hasCleanHeader: state.container.get().hasCleanJpegHeader,
        hasOneScan: !state.costly.get().isProgressive,
        endsInZeros: state.container.get().endsInZeros,
      });
    case 'gif':
      return await decodeGifStrictly(input, settings, frames, () => state.warnings.push(FRAMES_DAMAGED));
    case 'tiff':
      return await decodeTiffStrictly(input, settings);
    default:
      return await decodeFile(input, settings);
  }
}

function isAllClear({ data, channels }: Pixels): boolean {
  if (channels !== 4) return false;
  for (let at = 3; at < data.length; at += channels) {
    if (data[at] !== 0) return false;
  }
  return true;
}

function noPixels(): UnprocessableError {
  return new UnprocessableError(
    'picture_damaged',
    'The picture is damaged: its first frame has no pixels. Save it again in another program and upload the new file.',
  );
}

/** Converts decoded pixels. libheif gives the levels of a grey AVIF as they are stored. */
async function inSrgb(pixels: Pixels, way: WayToSrgb, { avifColours, gamma }: ContainerFacts): Promise<Pixels> {
  if (way.method === 'hdr') {
    return await toneMap({ ...pixels, white: ((1 << way.bits) - 1) << (16 - way.bits) }, way.curve, way.matrix);
  }
  if (avifColours?.isMonochrome === true && avifColours.isLimited) await toFullRange(pixels);
  if (gamma !== undefined) return await fromGamma(pixels, gamma);
  if (way.method === 'matrix') await toSrgb(pixels, way.matrix);
  return pixels;
}
