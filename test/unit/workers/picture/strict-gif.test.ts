import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { animation, photo } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';

const OPTIONS = { variants: [{ name: 'a', longestSide: 40, format: 'png' }] };

/** Inserts bytes into the last frame, so that its blocks cannot be followed. */
function withBytes(gif: Buffer, bytes: Buffer): Buffer {
  const at = Math.floor(0.8 * gif.length);
  return Buffer.concat([gif.subarray(0, at), bytes, gif.subarray(at)]);
}

describe('GIF with a broken frame', () => {
  test('is rejected if it has one frame', async () => {
    const whole = await photo({ width: 60, height: 40, format: 'gif' });
    const outcome = await processPicture(withBytes(whole, Buffer.from([0, 0x55, 0x55])), {}, OPTIONS).catch(
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: 'picture_damaged' });
  });

  test('completes with a warning if it is an animation', async () => {
    const whole = await animation('gif', 3, 60, 40);
    const { result } = await processPicture(withBytes(whole, Buffer.alloc(4)), {}, OPTIONS);
    expect(result.warnings?.map(({ code }) => code)).toEqual(['frames_damaged']);
  });

  test('completes without the end mark of the file', async () => {
    const whole = await photo({ width: 60, height: 40, format: 'gif' });
    expect((await processPicture(whole.subarray(0, -1), {}, OPTIONS)).result.warnings).toEqual([]);
  });
});
