import { beforeAll, describe, expect, test } from '@jest/globals';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { hostilePictures, type HostilePicture } from '../../../helpers/hostile-pictures.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { photo } from '../../../helpers/pictures.ts';

let hostile: HostilePicture[];

beforeAll(async () => {
  hostile = await hostilePictures({ flipsEach: 1, zerosSide: 1500 });
});

async function outcomeOf(bytes: Buffer): Promise<unknown> {
  return await processPicture(bytes).then(
    () => 'completed',
    (error: unknown) => (error instanceof UnprocessableError ? error.code : error),
  );
}

describe('hostile picture', () => {
  test('of any kind ends with a result or a plain error', async () => {
    const seen: [string, unknown][] = [];
    for (const { name, bytes } of hostile) seen.push([name, await outcomeOf(bytes)]);
    const wanted = hostile.map(({ name, outcome }, index) => [
      name,
      outcome === 'any' && isExpected(seen[index]?.[1]) ? seen[index]?.[1] : outcome,
    ]);
    expect(seen).toEqual(wanted);
  });

  test('leaves nothing of a second format in its variants', async () => {
    const page = hostile.find(({ name }) => name.includes('a page'));
    const { files } = await processPicture(page?.bytes ?? Buffer.alloc(0));
    for (const bytes of files.values())
      expect([bytes.includes('script'), (await seePicture(bytes)).width]).toEqual([false, 120]);
  });
});

function isExpected(outcome: unknown): boolean {
  return ['completed', 'picture_damaged', 'picture_too_large', 'picture_unsupported'].includes(String(outcome));
}

test('a step that takes too long is rejected with picture_timeout and advice', async () => {
  const run = processPicture(await photo({ width: 1200, height: 800 }), { stepTimeoutMs: 1 });
  await expect(run).rejects.toMatchObject({
    name: 'UnprocessableError',
    code: 'picture_timeout',
    detail: expect.stringMatching(/took more than 0\.001 seconds\. \w/),
  });
});
