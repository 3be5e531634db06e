import { UnprocessableError } from '../../unprocessable-error.ts';
import type { FileWindow } from './file-window.ts';
import { readTiffHeader } from './tiff-directory.ts';
import { tooManyFrames } from './too-large.ts';

/**
 * Follows the pages of a TIFF from directory to directory, because libvips does so when it opens a file. Throws
 * `picture_too_large` for more than `maxFrames` pages, and `picture_damaged` if a page leads back to an earlier one.
 */
export async function checkTiff(window: FileWindow, maxFrames: number): Promise<void> {
  const header = await readTiffHeader(window);
  if (header === undefined) return;
  const { layout } = header;
  const seen = new Set<number>();
  let at = header.first;
  while (at !== 0) {
    if (seen.has(at)) throw loop();
    seen.add(at);
    if (seen.size > maxFrames) throw tooManyFrames(maxFrames);
    const start = await window.read(at, layout.countBytes);
    if (start === undefined) return;
    const end = at + layout.countBytes + layout.count(start) * layout.entryBytes;
    const next = await window.read(end, layout.placeBytes);
    if (next === undefined) return;
    at = layout.place(next);
  }
}

function loop(): UnprocessableError {
  return new UnprocessableError(
    'picture_damaged',
    'A page of the TIFF leads back to an earlier page. Save the picture again and upload the new file.',
  );
}
