import type { ColourNumbers } from '../cicp.ts';
import type { FileWindow } from './file-window.ts';
import { walkPng } from './walk-png.ts';

/** Facts about a PNG that libvips does not report. */
export interface PngFacts {
  readonly isAnimated: boolean;
  /** The colours by their numbers. Undefined if the file does not name them. */
  readonly colours: ColourNumbers | undefined;
  /** Undefined if it is close to the gamma of sRGB, or if other facts about the colours take precedence. */
  readonly gamma: PngGamma | undefined;
}

/** How a PNG stores light (PNG third edition, section 11.3.2.2). */
export interface PngGamma {
  /** A level is the light to the power of this number. */
  readonly exponent: number;
  /** The number of bits of a decoded channel: 8 or 16. */
  readonly bits: number;
}

const [HEADER_BYTES, DEPTH_AT] = [13, 8];
const COLOURS_BYTES = 4;

/** Colours that count before the gamma of a file (section 4.3). */
const BEFORE_GAMMA: readonly string[] = ['cICP', 'iCCP', 'sRGB'];
const [GAMMA_BYTES, GAMMA_UNIT] = [4, 100_000];
/** The valid range: from darker than linear light to brighter than any screen. A number outside of it is a fault. */
const [LEAST_GAMMA, MOST_GAMMA] = [0.2, 2];
const SRGB_GAMMA = 1 / 2.2;
const SAME_GAMMA = 0.05;

/** Reads the chunks before the pixels, where an animation and its colours must be declared (PNG third edition). */
export async function readPngFacts(window: FileWindow): Promise<PngFacts> {
  let isAnimated = false;
  let bits = 8;
  let colours: ColourNumbers | undefined;
  let gamma: number | undefined;
  let hasOtherColours = false;
  for await (const { type, at, bytes } of walkPng(window)) {
    if (type === 'IDAT') break;
    if (type === 'acTL') isAnimated = true;
    // libvips expands smaller samples to eight bits.
    if (type === 'IHDR') bits = Math.max(8, (await window.read(at, HEADER_BYTES))?.[DEPTH_AT] ?? 8);
    if (BEFORE_GAMMA.includes(type)) hasOtherColours = true;
    if (type === 'gAMA' && bytes === GAMMA_BYTES) gamma = gammaOf((await window.read(at, bytes))?.readUInt32BE(0));
    const data = type === 'cICP' && bytes === COLOURS_BYTES ? await window.read(at, bytes) : undefined;
    if (data !== undefined) colours = { primaries: data[0], transfer: data[1], bits };
  }
  return { isAnimated, colours, gamma: hasOtherColours || gamma === undefined ? undefined : { exponent: gamma, bits } };
}

function gammaOf(units = 0): number | undefined {
  const gamma = units / GAMMA_UNIT;
  const isSrgb = Math.abs(gamma / SRGB_GAMMA - 1) <= SAME_GAMMA;
  return isSrgb || gamma < LEAST_GAMMA || gamma > MOST_GAMMA ? undefined : gamma;
}
