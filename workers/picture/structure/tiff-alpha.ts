import type { FileWindow } from './file-window.ts';
import { readTiffDirectory, readTiffHeader, tiffNumbers } from './tiff-directory.ts';

const EXTRA_SAMPLES = 338;
const [ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA] = [1, 2];

/** Returns whether the first channel after the colours of a TIFF is declared as alpha (TIFF 6.0, section 18). */
export async function hasTiffAlpha(window: FileWindow): Promise<boolean> {
  const header = await readTiffHeader(window);
  if (header === undefined) return false;
  const directory = await readTiffDirectory(window, header.layout, header.first);
  const [first] = await tiffNumbers(window, header.layout, directory.get(EXTRA_SAMPLES), 1);
  return first === ASSOCIATED_ALPHA || first === UNASSOCIATED_ALPHA;
}
