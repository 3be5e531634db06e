import type { PictureResult, Upload } from '../wire/documents.ts';
import { distinctSizes } from './distinct-sizes.ts';
import { make } from './dom.ts';
import { formatExposure, formatTakenAt } from './format.ts';
import { noteList } from './result-notes.ts';
import { copyButton, downloadButton, type Fact, factList, fileLink, linkList } from './result-parts.ts';
import type { Words } from './words.ts';

/** Builds the view of a picture's result: facts and links to its variants. */
export function pictureView(upload: Upload, result: PictureResult, words: Words): HTMLElement {
  return make(
    'div',
    'result',
    factList(pictureFacts(result, words)),
    ...noteList(result, words),
    linksOf(upload, result, words),
  );
}

/** Returns the facts of a picture. */
export function pictureFacts(result: PictureResult, { facts, locale }: Words): Fact[] {
  const swatch = make('span', 'swatch');
  swatch.setAttribute('role', 'img');
  swatch.setAttribute('aria-label', result.dominantColour);
  swatch.style.backgroundColor = result.dominantColour;
  const optional: readonly (readonly [label: string, value: string | null])[] = [
    [facts.camera, result.camera],
    [facts.lens, result.lens],
    [facts.exposure, result.exposure === null ? null : formatExposure(result.exposure, locale)],
    [facts.taken, result.takenAt === null ? null : formatTakenAt(result.takenAt, locale)],
  ];
  return [
    [facts.dimensions, `${result.width} × ${result.height}`],
    [facts.format, result.format.toUpperCase()],
    ...optional.flatMap(([label, value]): Fact[] => (value === null ? [] : [[label, value]])),
    [facts.colour, swatch],
  ];
}

function linksOf({ file, links }: Upload, { variants }: PictureResult, words: Words): HTMLElement {
  const shown = distinctSizes(variants).map(({ url, width, height, size }) =>
    fileLink({ text: `${width} × ${height}`, url, sizeBytes: size }, words),
  );
  if (links.content !== undefined)
    shown.push(downloadButton(words.links.original, { url: links.content, saveAs: file.name }));
  const [largest] = variants;
  if (largest) shown.push(copyButton(largest.url, words));
  const list = linkList(...shown);
  list.setAttribute('aria-label', words.links.variants);
  return list;
}
