import type { PictureResult, Upload } from '../../api.ts';
import { copyText } from './copy-text.ts';
import { icon, make, setText } from './dom.ts';
import { formatBytes, formatTakenAt } from './format.ts';
import type { Words } from './words.ts';

const COPIED_FOR_MS = 2000;

/** What a finished picture turned out to be, and where its versions are. */
export function pictureView(upload: Upload, result: PictureResult, words: Words): HTMLElement {
  return make('div', 'result', factsOf(result, words), linksOf(upload, result, words));
}

function factsOf(result: PictureResult, words: Words): HTMLElement {
  const { facts, locale } = words;
  const list = make('dl', 'facts');
  const add = (label: string, ...value: (Node | string)[]): void => {
    list.append(make('div', '', make('dt', 'unseen', label), make('dd', '', ...value)));
  };
  add(facts.dimensions, `${result.width} × ${result.height}`);
  add(facts.format, result.format.toUpperCase());
  if (result.camera !== null) add(facts.camera, result.camera);
  const taken = result.takenAt === null ? null : formatTakenAt(result.takenAt, locale);
  if (taken !== null) add(facts.taken, taken);
  const swatch = make('span', 'swatch');
  swatch.style.backgroundColor = result.dominantColour;
  add(facts.colour, swatch, result.dominantColour);
  return list;
}

function linksOf(upload: Upload, { variants }: PictureResult, words: Words): HTMLElement {
  const list = make('ul', 'links');
  list.setAttribute('aria-label', words.links.variants);
  for (const { url, width, height, size } of variants) {
    const link = make('a', 'pill', `${width} × ${height}`);
    link.title = formatBytes(size, words.locale);
    list.append(make('li', '', openElsewhere(link, url)));
  }
  if (upload.links.content !== undefined) {
    const link = make('a', 'pill', words.links.original);
    link.title = formatBytes(upload.file.size, words.locale);
    link.download = upload.file.name;
    list.append(make('li', '', openElsewhere(link, upload.links.content)));
  }
  const [largest] = variants;
  if (largest) list.append(make('li', '', copyButton(largest.url, words)));
  return list;
}

function openElsewhere(link: HTMLAnchorElement, url: string): HTMLAnchorElement {
  link.href = url;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

function copyButton(url: string, { links }: Words): HTMLButtonElement {
  const label = make('span', '', links.copy);
  // Heard too, as the words change under the reader's finger.
  label.setAttribute('aria-live', 'polite');
  const button = make('button', 'pill', icon('link'), label);
  button.type = 'button';
  const copy = async (): Promise<void> => {
    const copied = await copyText(new URL(url, location.href).href);
    setText(label, copied ? links.copied : links.notCopied);
    setTimeout(() => setText(label, links.copy), COPIED_FOR_MS);
  };
  button.addEventListener('click', () => void copy());
  return button;
}
