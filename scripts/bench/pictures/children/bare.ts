import { join } from 'node:path';
import sharp, { type OutputInfo, type Sharp } from 'sharp';
import { eachAtOnce } from '../../lib/at-once.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { BareQuestions } from '../questions.ts';

sharp.concurrency(1);
sharp.cache(false);

/** A script by an expert of sharp: one decode, and each size is made from the previous one. */
serveQuestions<BareQuestions>({
  async convert({ photos, directory, count, inFlight }) {
    await eachAtOnce(count, inFlight, (index) =>
      cascade(photos[index % photos.length] ?? '', join(directory, String(index))),
    );
  },
});

async function cascade(photo: string, place: string): Promise<void> {
  const large = await sharp(photo, { autoOrient: true })
    .resize({ width: 1600, height: 1600, fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  await again(large).webp({ quality: 80, effort: 2 }).toFile(`${place}-1600.webp`);
  const middle = await again(large)
    .resize({ width: 640, height: 640, fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  await again(middle).webp({ quality: 80, effort: 2 }).toFile(`${place}-640.webp`);
  await again(middle)
    .resize({ width: 160, height: 160, fit: 'inside' })
    .jpeg({ quality: 80 })
    .toFile(`${place}-160.jpeg`);
}

function again({ data, info }: { data: Buffer; info: OutputInfo }): Sharp {
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } });
}
