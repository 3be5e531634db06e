/** The channels of a colour without alpha, by the names that libvips gives to colour spaces. */
const COLOUR_CHANNELS: ReadonlyMap<string, number> = new Map([
  ['b-w', 1],
  ['grey16', 1],
  ['srgb', 3],
  ['rgb16', 3],
  ['cmyk', 4],
]);

/** The number of channels of a decoded picture in sRGB: with 4 channels, the last one is alpha. */
export type KeptChannels = 3 | 4;

/**
 * Returns how many channels of the decoded picture are kept if the file has more than colours and alpha, such as the
 * spot colours and masks of a TIFF. Undefined if all are kept. libvips treats the last channel as alpha, so a spot
 * colour without ink would make the picture invisible.
 */
export function keptChannels(
  { space, channels }: { space: string; channels: number },
  isAlphaDeclared: boolean,
): KeptChannels | undefined {
  const extra = channels - (COLOUR_CHANNELS.get(space) ?? channels);
  // Many programs do not declare the alpha channel of RGB and grey. A fifth channel of CMYK is usually a spot colour.
  const isAlpha = extra === 1 && (isAlphaDeclared || space !== 'cmyk');
  if (extra <= 0 || isAlpha) return undefined;
  return isAlphaDeclared ? 4 : 3;
}
