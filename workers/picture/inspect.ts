import { tooManyPixels, weighedPixels } from '../../src/kinds/picture-budget.ts';
import type { PictureOptions } from '../../src/kinds/picture-options.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { SLOW_TO_READ } from './decode.ts';
import { costsOf } from './costs.ts';
import { readExifBlock } from './exif-block.ts';
import { exifFacts, exifPosition } from './exif.ts';
import { readContainer } from './container-facts.ts';
import { claimablePixels, refuseLargeJpeg } from './jpeg-limits.ts';
import { isSuitableProfile } from './icc-profile.ts';
import { keptChannels, type KeptChannels } from './kept-channels.ts';
import { keptExif } from './kept-exif.ts';
import type { Header } from './libvips.ts';
import { ANIMATION_FACTOR, type PictureLimits } from './limits.ts';
import { PROFILE_IGNORED, pictureWarnings } from './picture-warnings.ts';
import { planPicture, type PicturePlan } from './plan.ts';
import { readableInput } from './readable-input.ts';
import { readPicture } from './read-picture.ts';
import { areaOf } from './size.ts';
import type { PictureFacts, PictureState } from './state.ts';
import { FileWindow } from './structure/file-window.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/** Parses the options of a record. Throws if they are invalid, which cannot happen: the intake has checked them. */
type ReadOptions = (options: unknown) => PictureOptions;

/** Creates the step that reads the header, rejects pictures that are too large, and plans the variants. */
export function inspect(tools: PictureTools, readOptions: ReadOptions) {
  return async (state: PictureState, { inputPath, upload, signal }: StepContext): Promise<void> => {
    const options = readOptions(upload.options);
    // Abandoned calls of earlier pictures must not add to the memory of this one. If one of them never ends, the time
    // limit of the attempt makes this process count as unresponsive, and it is replaced.
    await tools.abandoned.settled();
    const { container, input, addedFrames } = await FileWindow.over(inputPath, signal, async (window) => ({
      container: await readContainer(window, upload.type, tools.limits.maxFrames, signal),
      ...(await readableInput(window, inputPath, upload.type)),
    }));
    const bounds = boundsOf(tools, signal, SLOW_TO_READ);
    const { way, ...header } = await readPicture(
      tools,
      { path: inputPath, input, type: upload.type, colours: container.colours },
      bounds,
      signal,
    );
    const exif = header.exif ?? (await readExifBlock(inputPath, upload.type, signal));
    const channels = keptChannels(header, container.isAlphaDeclared);
    const facts = factsOf({ ...header, exif }, addedFrames, channels, options);
    if (`image/${facts.format}` !== upload.type) throw wrongType();
    const isAnimated = moves(facts);
    refuseTooLarge(facts, isAnimated, tools.limits);
    refuseSamples(header, channels, tools.limits);
    const plan = planPicture({ ...facts, isAnimated }, options.variants);
    refuseLargeJpeg(header, plan.decoded, tools.limits);
    refuseTooCostly(plan, facts, tools.limits);
    const isProfileUsable = header.icc !== undefined && isSuitableProfile(header.icc, header.space);
    const costly = {
      ...facts,
      isProgressive: header.isProgressive ?? false,
      isManaged: way.method === 'managed' && isProfileUsable,
    };
    state.input.set(input);
    state.facts.set(facts);
    const { hasMoreFrames } = container;
    const pictures = header.pictures ?? container.pictures;
    const losesChannels = channels !== undefined;
    state.warnings.push(...pictureWarnings({ facts, isAnimated, hasMoreFrames, pictures, losesChannels, exif }));
    if (header.icc !== undefined && !isProfileUsable) state.warnings.push(PROFILE_IGNORED);
    state.wayToSrgb.set(way);
    state.container.set(container);
    state.keptChannels.set(channels);
    state.kept.set(options.keepMetadata ? keptExif(exif) : undefined);
    state.plan.set(plan);
    state.costly.set(costly);
    state.costs.set(costsOf(costly, plan));
  };
}

function factsOf(
  header: Header,
  addedFrames: number,
  channels: KeptChannels | undefined,
  { gps }: PictureOptions,
): PictureFacts {
  const { width, height } = header.autoOrient;
  return {
    format: header.format,
    width,
    height,
    frames: (header.pages ?? 1) - addedFrames,
    hasAlpha: header.hasAlpha && channels !== 3,
    colourSpace: header.space,
    orientation: orientationOf(header.orientation),
    ...exifFacts(header.exif),
    ...(gps ? { gps: exifPosition(header.exif) } : {}),
  };
}

/** Returns the orientation, 1 to 8. Some programs write other values, which viewers and libvips treat as 1. */
function orientationOf(tag = 1): number {
  return tag >= 1 && tag <= 8 ? tag : 1;
}

/**
 * Returns whether a picture is animated. Pages of a TIFF are not frames. libvips cannot turn an animation, so one with
 * an orientation other than 1 (which no camera writes) is treated as a still picture.
 */
function moves({ format, frames, orientation }: PictureFacts): boolean {
  return frames > 1 && (format === 'gif' || format === 'webp') && orientation === 1;
}

/** The error for a file whose first bytes name another format than libvips finds. */
function wrongType(): UnprocessableError {
  return new UnprocessableError(
    'picture_damaged',
    'The file begins like one picture format and continues like another. Save it again and upload the new file.',
  );
}

function refuseTooLarge(facts: PictureFacts, isAnimated: boolean, { maxPixels, maxFrames }: PictureLimits): void {
  const { width, height, frames } = facts;
  const size = `${count(width)} × ${count(height)} pixels`;
  const mostPixels = claimablePixels(facts.format, maxPixels);
  if (areaOf(facts) > mostPixels) throw tooLarge(`${size}. At most ${count(mostPixels)} pixels in total are accepted`);
  if (frames > maxFrames) throw tooLarge(`${count(frames)} frames or pages. At most ${count(maxFrames)} are accepted`);
  const most = ANIMATION_FACTOR * maxPixels;
  if (isAnimated && areaOf(facts) * frames > most)
    throw tooLarge(`${count(frames)} frames of ${size}. At most ${count(most)} pixels in all frames are accepted`);
}

/** The number types of channels that libvips converts correctly, besides the signed numbers of CIELAB. */
const READABLE_DEPTHS: readonly string[] = ['uchar', 'ushort'];

function refuseSamples(
  { width, height, channels, depth, space }: Header,
  kept: KeptChannels | undefined,
  { maxPixels }: PictureLimits,
): void {
  if (!READABLE_DEPTHS.includes(depth) && space !== 'labs')
    throw new UnprocessableError(
      'picture_unsupported',
      'The colours of the picture are not whole numbers of 8 or 16 bits. Save it as JPEG or PNG and upload that.',
    );
  const most = ANIMATION_FACTOR * maxPixels;
  if (kept !== undefined && width * height * channels > most)
    throw tooLarge(`${count(channels)} channels. At most ${count(most)} values in all channels are accepted`);
}

function refuseTooCostly(
  { variants }: PicturePlan,
  { frames }: PictureFacts,
  { maxOutputPixels }: PictureLimits,
): void {
  const outputs = variants.map(({ spec, size, isAnimated }) => ({
    format: spec.format,
    pixels: areaOf(size) * (isAnimated ? frames : 1),
  }));
  const found = weighedPixels(outputs);
  if (found > maxOutputPixels)
    throw new UnprocessableError('picture_too_costly', `${tooManyPixels(found, maxOutputPixels)}.`);
}

function tooLarge(claim: string): UnprocessableError {
  return new UnprocessableError('picture_too_large', `The picture has ${claim}. Make it smaller and upload it again.`);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
