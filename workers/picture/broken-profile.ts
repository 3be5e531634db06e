import { hasOneColour, type Pixels } from './libvips.ts';

/**
 * Returns undefined if the profile of a picture is usable. A damaged profile can make all its colours the same. Then
 * the pixels without the profile are returned. `decodePlain` decodes the picture without its profile.
 */
export async function withoutBrokenProfile(
  pixels: Pixels,
  decodePlain: () => Promise<Pixels>,
): Promise<Pixels | undefined> {
  if (!hasOneColour(pixels)) return undefined;
  const plain = await decodePlain();
  return hasOneColour(plain) ? undefined : plain;
}
