import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eachAtOnce } from '../lib/at-once.ts';
import type { Contestant } from './contestant.ts';
import type { Batch } from './questions.ts';

/** A program, and the commands that make all sizes of one photo. `place` is the start of the paths of the output. */
interface Program {
  readonly title: string;
  /** Names of the program. The first name that runs is used. */
  readonly names: readonly string[];
  readonly commands: (photo: string, place: string) => readonly (readonly string[])[];
}

/** Limits each program to one thread, because it processes as many pictures at the same time as the other peers do. */
const ONE_THREAD = { VIPS_CONCURRENCY: '1', MAGICK_THREAD_LIMIT: '1', OMP_NUM_THREADS: '1' };

/**
 * vipsthumbnail applies and removes the profile of the file, like the other peers. It does not make sizes from each
 * other, but decodes at a half, a quarter or an eighth of the size, like the service.
 */
export const VIPSTHUMBNAIL: Program = {
  title: 'vipsthumbnail',
  names: ['vipsthumbnail'],
  commands: (photo, place) => [
    [photo, '-s', '1600x1600', '--eprofile', 'srgb', '-o', `${place}-1600.webp[Q=80,effort=2,strip]`],
    [photo, '-s', '640x640', '--eprofile', 'srgb', '-o', `${place}-640.webp[Q=80,effort=2,strip]`],
    [photo, '-s', '160x160', '--eprofile', 'srgb', '-o', `${place}-160.jpg[Q=80,strip]`],
  ],
};

/**
 * ImageMagick removes the profile without applying it, because that would need an sRGB profile file. One command makes
 * each size from the previous one, with the option that lets the JPEG decoder shrink.
 */
export const IMAGEMAGICK: Program = {
  title: 'ImageMagick',
  names: ['magick', 'convert-im6.q16', 'convert'],
  commands: (photo, place) => [
    [
      '-define',
      'jpeg:size=3200x3200',
      photo,
      '-auto-orient',
      '-strip',
      '-quality',
      '80',
      '-define',
      'webp:method=2',
      '-resize',
      '1600x1600',
      '-write',
      `${place}-1600.webp`,
      '-resize',
      '640x640',
      '-write',
      `${place}-640.webp`,
      '-resize',
      '160x160',
      `${place}-160.jpg`,
    ],
  ],
};

/** Makes a contestant of a program. Returns undefined if this machine does not have the program. */
export function program({ title, names, commands }: Program): Contestant | undefined {
  const name = names.find((one) => spawnSync(one, ['--version'], { stdio: 'ignore' }).status === 0);
  if (name === undefined) return undefined;
  return { title, convert: (batch) => convertAll(name, commands, batch), end: async () => {} };
}

async function convertAll(
  name: string,
  commands: Program['commands'],
  { photos, directory, count, inFlight }: Batch,
): Promise<void> {
  await eachAtOnce(count, inFlight, async (index) => {
    for (const command of commands(photos[index % photos.length] ?? '', join(directory, String(index))))
      await run(name, command);
  });
}

async function run(name: string, command: readonly string[]): Promise<void> {
  const child = spawn(name, command, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...ONE_THREAD },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
}
