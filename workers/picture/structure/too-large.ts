import { UnprocessableError } from '../../unprocessable-error.ts';

/** The error for a picture with more parts than any real picture has. `advice` is a sentence. */
export function tooLarge(found: string, advice: string): UnprocessableError {
  return new UnprocessableError('picture_too_large', `The picture has ${found}. ${advice}`);
}

/** The error for more frames or pages than the limit. */
export function tooManyFrames(maxFrames: number): UnprocessableError {
  return tooLarge(
    `more than ${maxFrames.toLocaleString('en')} frames or pages`,
    'Shorten the animation, or upload the pages as separate files.',
  );
}
