import { tooManyPixels, weighedPixels } from '../../src/kinds/picture-budget.ts';
import type { PictureOptions } from '../../src/kinds/picture-options.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { SLOW_TO_READ } from './decode.ts';
import { costsOf } from './costs.ts';
import { exifFacts, exifPosition } from './exif.ts';
import { wayToSrgb, type WayToSrgb } from './icc-profile.ts';
import { keptExif } from './kept-exif.ts';
import { readHeader, type Header } from './libvips.ts';
import { ANIMATION_FACTOR, type PictureLimits } from './limits.ts';
import { planPicture, type PicturePlan } from './plan.ts';
import { readError } from './read-error.ts';
import { areaOf } from './size.ts';
import type { PictureFacts, PictureState } from './state.ts';
import { checkStructure } from './structure/check-structure.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/** What is asked for, as a record holds it. Throws where that is no picture's: the intake has checked it. */
export type ReadOptions = (options: unknown) => PictureOptions;

/** Reads the header, refuses what is too large to decode, and leaves the facts and what is to be made. */
export function inspect(tools: PictureTools, readOptions: ReadOptions) {
  return async (state: PictureState, { inputPath, upload, signal }: StepContext): Promise<void> => {
    const options = readOptions(upload.options);
    // What is left of earlier pictures must not add to the memory of this one. Where it never ends the attempt's own
    // time limit finds a processor that obeys nobody, and the process is replaced.
    await tools.abandoned.settled();
    await checkStructure({ path: inputPath, type: upload.type, maxFrames: tools.limits.maxFrames }, signal);
    const header = await boundsOf(tools, signal, SLOW_TO_READ)
      .wait(() => readHeader(inputPath))
      .catch((error: unknown) => {
        throw readError(error);
      });
    const facts = factsOf(header, options);
    if (`image/${facts.format}` !== upload.type) throw notWhatItSeems();
    const isAnimated = moves(facts);
    refuseTooLarge(facts, isAnimated, tools.limits);
    const plan = planPicture({ ...facts, isAnimated }, options.variants);
    refuseTooCostly(plan, facts, tools.limits);
    const way = wayOf(header);
    const costly = {
      ...facts,
      isProgressive: header.isProgressive ?? false,
      isManaged: way.kind === 'managed' && header.icc !== undefined,
    };
    state.facts.set(facts);
    state.wayToSrgb.set(way);
    state.kept.set(options.keepMetadata ? keptExif(header.exif) : undefined);
    state.plan.set(plan);
    state.costly.set(costly);
    state.costs.set(costsOf(costly, plan));
  };
}

function factsOf(header: Header, { gps }: PictureOptions): PictureFacts {
  const { width, height } = header.autoOrient;
  return {
    // libvips names the container that AVIF lies in; the other pictures that come in it cannot be decoded here.
    format: header.format === 'heif' ? 'avif' : header.format,
    width,
    height,
    frames: header.pages ?? 1,
    hasAlpha: header.hasAlpha,
    colourSpace: header.space,
    orientation: orientationOf(header.orientation),
    ...exifFacts(header.exif),
    ...(gps ? { gps: exifPosition(header.exif) } : {}),
  };
}

/** Pictures of other channels or depths than most have are the colour management's, with a profile or without. */
function wayOf({ icc, space, channels, depth }: Header): WayToSrgb {
  const isPlain = space === 'srgb' && depth === 'uchar' && channels >= 3;
  return isPlain && icc !== undefined ? wayToSrgb(icc) : { kind: 'managed' };
}

/** Some writers put numbers there that mean nothing; viewers take them for 1, and so does libvips. */
function orientationOf(tag = 1): number {
  return tag >= 1 && tag <= 8 ? tag : 1;
}

/** The pages of a TIFF are no frames; and only by hand is an animation made that has to be turned, which libvips cannot. */
function moves({ format, frames, orientation }: PictureFacts): boolean {
  return frames > 1 && (format === 'gif' || format === 'webp') && orientation === 1;
}

/** Its first bytes were taken for one format by the intake and are taken for another here. */
function notWhatItSeems(): UnprocessableError {
  return new UnprocessableError(
    'picture_damaged',
    'The file begins like a picture of one kind and goes on like one of another.',
  );
}

function refuseTooLarge(facts: PictureFacts, isAnimated: boolean, { maxPixels, maxFrames }: PictureLimits): void {
  const { width, height, frames } = facts;
  const size = `${count(width)} × ${count(height)} pixels`;
  if (areaOf(facts) > maxPixels) throw tooLarge(`${size}; at most ${count(maxPixels)} pixels in all are taken`);
  if (frames > maxFrames) throw tooLarge(`${count(frames)} frames or pages; at most ${count(maxFrames)} are taken`);
  const most = ANIMATION_FACTOR * maxPixels;
  if (isAnimated && areaOf(facts) * frames > most)
    throw tooLarge(`${count(frames)} frames of ${size}; at most ${count(most)} pixels in all frames are taken`);
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
  return new UnprocessableError('picture_too_large', `The picture says that it has ${claim}.`);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
