import { paintLandscape } from './landscape.ts';

/** Number of photos, enough for a gallery. */
const COUNT = 6;

/** Paints photos for people who want to try the page and have no file. Their colours go around the wheel. */
export async function paintSamples(nameOf: (number: number) => string): Promise<File[]> {
  const firstHue = Math.random() * 360;
  const files: File[] = [];
  for (let index = 0; index < COUNT; index += 1) {
    const picture = await paintLandscape(firstHue + (index * 360) / COUNT);
    if (picture) files.push(new File([picture], nameOf(index + 1), { type: picture.type }));
  }
  return files;
}
