import type { PictureResult, Upload, Variant } from '../wire/documents.ts';
import { distinctSizes } from './distinct-sizes.ts';
import { make } from './dom.ts';
import { formatDeadline } from './format.ts';
import { pictureFacts } from './picture-view.ts';
import { noteList } from './result-notes.ts';
import { copyButton, downloadButton, factList, fileLink, linkList, textPill } from './result-parts.ts';
import type { Words } from './words.ts';

/** What happens when the user clicks a button of the details. */
export interface DetailActions {
  readonly hide: () => void;
  readonly delete: () => void;
}

/** Returns the picture with the most pixels; undefined if there is none. */
export function largestVariant({ variants }: PictureResult): Variant | undefined {
  return [...variants].sort((a, b) => b.width * b.height - a.width * a.height).at(0);
}

/** Builds the facts and links beside the picture in the viewer. */
export function viewerDetails(
  { upload, result, actions }: { upload: Upload; result: PictureResult; actions: DetailActions },
  words: Words,
): HTMLElement[] {
  const { links, viewer } = words;
  const variants = distinctSizes(result.variants).map(({ url, width, height, size }) =>
    fileLink({ text: `${width} × ${height}`, url, sizeBytes: size }, words),
  );
  const largest = largestVariant(result);
  const list = linkList(
    ...(largest ? [copyButton(largest.url, words)] : []),
    ...(upload.links.content === undefined
      ? []
      : [downloadButton(viewer.download, { url: upload.links.content, saveAs: upload.file.name })]),
    textPill(viewer.hide, actions.hide),
    textPill(viewer.delete, actions.delete),
  );
  const sizes = linkList(...variants);
  sizes.setAttribute('aria-label', links.variants);
  const until =
    upload.expiresAt === null ? null : formatDeadline(Date.parse(upload.expiresAt), Date.now(), words.locale);
  return [
    factList(pictureFacts(result, words), true),
    ...noteList(result, words),
    sizes,
    list,
    ...(until === null ? [] : [make('p', 'note', viewer.until(until))]),
  ];
}
