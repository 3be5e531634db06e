import { UnprocessableError } from '../../unprocessable-error.ts';

/** For a picture that consists of more parts than any real one. `advice` is a sentence. */
export function tooLarge(found: string, advice: string): UnprocessableError {
  return new UnprocessableError('picture_too_large', `The picture has ${found}. ${advice}`);
}

/** For more frames or pages than are taken. */
export function tooManyFrames(maxFrames: number): UnprocessableError {
  return tooLarge(
    `more than ${maxFrames.toLocaleString('en')} frames or pages`,
    'Shorten the animation, or send the pages as several files.',
  );
}
