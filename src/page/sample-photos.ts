import { paintLandscape } from './landscape.ts';

/** Number of photos, enough for a gallery. */
const COUNT = 6;

/** Paints photos for people who want to try the page and have no file. Their colours go around the wheel. */
export async function paintSamples(nameOf: (number: number) => string): Promise<File[]> {
  const firstHue = Math.random() * 360;
  // A browser may wait up to a second for an idle moment before it compresses a picture. All of them wait together.
  const pictures = await Promise.all(
    Array.from({ length: COUNT }, (_, index) => paintLandscape(firstHue + (index * 360) / COUNT)),
  );
  return pictures.flatMap((picture, index) =>
    picture ? [new File([picture], nameOf(index + 1), { type: picture.type })] : [],
  );
}
