import type { Buffer } from 'node:buffer';
import type { PictureWarning } from '../../src/wire/documents.ts';
import { isReadableExif } from './exif-directory.ts';
import type { PictureFacts } from './state.ts';

/** The facts from which the warnings of a picture follow before it is decoded. */
interface Inspected {
  readonly facts: PictureFacts;
  /** True if the variants may show all frames. */
  readonly isAnimated: boolean;
  /** True if the file has frames that `facts` does not count. */
  readonly hasMoreFrames: boolean;
  /** Pictures in a HEIC, AVIF or JPEG, besides thumbnails and the like. */
  readonly pictures: number;
  /** True if channels of the file are in no variant. */
  readonly losesChannels: boolean;
  readonly exif: Buffer | undefined;
}

/** Returns a warning for each part of the file that is in no variant, and for facts that could not be read. */
export function pictureWarnings(inspected: Inspected): PictureWarning[] {
  const { facts, isAnimated, hasMoreFrames, pictures, losesChannels, exif } = inspected;
  const isStopped = hasMoreFrames || (facts.format !== 'tiff' && facts.frames > 1 && !isAnimated);
  return [
    ...(facts.format === 'tiff' && facts.frames > 1
      ? [warning('other_pages', `The file has ${facts.frames} pages. Only the first one is shown.`)]
      : []),
    ...(isStopped ? [warning('other_frames', 'The file is an animation. Only one frame is shown.')] : []),
    ...(pictures > 1
      ? [warning('other_pictures', `The file has ${pictures} pictures. Only the main one is shown.`)]
      : []),
    ...(losesChannels
      ? [warning('channels_left_out', 'The file has spot colours or masks, which are not shown.')]
      : []),
    ...(exif !== undefined && !isReadableExif(exif)
      ? [warning('exif_unreadable', 'The EXIF data of the file is damaged, so date, camera and position are unknown.')]
      : []),
  ];
}

/** The warning for a profile that cannot be applied. */
export const PROFILE_IGNORED = warning(
  'profile_ignored',
  'The colour profile of the file is damaged or for other colours, so it was ignored. The colours may be different.',
);

/** The warning for an animation of which some frames are broken. */
export const FRAMES_DAMAGED = warning(
  'frames_damaged',
  'Some frames of the animation are damaged, so a part of their pixels is missing.',
);

function warning(code: string, message: string): PictureWarning {
  return { code, message };
}
