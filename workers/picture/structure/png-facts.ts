import type { ColourNumbers } from '../cicp.ts';
import type { FileWindow } from './file-window.ts';
import { walkPng } from './walk-png.ts';

/** Facts about a PNG that libvips does not report. */
export interface PngFacts {
  readonly isAnimated: boolean;
  /** Undefined if the file does not name its colours by numbers. */
  readonly colours: ColourNumbers | undefined;
}

const [HEADER_BYTES, DEPTH_AT] = [13, 8];
const COLOURS_BYTES = 4;

/** Reads the chunks before the pixels, where an animation and its colours must be declared (PNG third edition). */
export async function readPngFacts(window: FileWindow): Promise<PngFacts> {
  let isAnimated = false;
  let bits = 8;
  let colours: ColourNumbers | undefined;
  for await (const { type, at, bytes } of walkPng(window)) {
    if (type === 'IDAT') break;
    if (type === 'acTL') isAnimated = true;
    // libvips expands smaller samples to eight bits.
    if (type === 'IHDR') bits = Math.max(8, (await window.read(at, HEADER_BYTES))?.[DEPTH_AT] ?? 8);
    const data = type === 'cICP' && bytes === COLOURS_BYTES ? await window.read(at, bytes) : undefined;
    if (data !== undefined) colours = { primaries: data[0], transfer: data[1], bits };
  }
  return { isAnimated, colours };
}
