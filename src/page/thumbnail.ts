import { thumbHashToDataURL } from 'thumbhash';
import type { PictureResult, Result } from '../wire/documents.ts';
import { icon, make } from './dom.ts';
import { isTable } from './file-kinds.ts';
import { showBackground } from './picture-background.ts';
import type { Previews } from './preview.ts';

/** Width of a picture in a line: twice the size in CSS pixels, for screens with a high density. */
const LINE_PIXELS = 128;
const TILE_PIXELS = 360;
/** A picture that loads later than this after its result, as while the user scrolls, appears without a flash. */
const FRESH_MS = 2000;

/**
 * The small picture of a line or tile. It shows an icon first, then a preview of the local file or of the thumbhash,
 * and at last a variant, as a link to the largest one. A variant is requested only after it exists, because a held
 * request would occupy one of the browser's six connections.
 */
export class Thumbnail {
  readonly element: HTMLAnchorElement;
  readonly #previews: Previews;
  readonly #isTile: boolean;
  readonly #view: () => void;
  #previewUrl: string | null = null;
  #developed = '';

  /** @param view shows the picture in the viewer. */
  constructor(
    previews: Previews,
    { name, file }: { name: string; file: File | null },
    { isTile, view }: { isTile: boolean; view: () => void },
  ) {
    this.#previews = previews;
    this.#isTile = isTile;
    this.#view = view;
    this.element = make('a', 'thumbnail', icon(isTable({ name }) ? 'table' : 'file'), extensionLabel(name));
    this.showFile(file);
  }

  /** Starts to create a preview if the browser can decode the file. */
  showFile(file: File | null): void {
    const width = this.#isTile ? TILE_PIXELS : LINE_PIXELS;
    if (file) this.#previews.request(this.element, { file, width, show: (url) => this.#showPreview(url) });
  }

  /** Adds colour to the picture of a tile as its upload advances, as with a photo in a darkroom. */
  develop(percent: number): void {
    const developed = (percent / 100).toFixed(2);
    if (developed === this.#developed) return;
    this.#developed = developed;
    this.element.style.setProperty('--developed', developed);
  }

  /** @param label the accessible name of the link. */
  showResult(result: Result, label: string): void {
    this.#previews.forget(this.element);
    if (result.kind === 'picture') this.#showPicture(result, label);
    if (result.kind === 'table') this.element.firstElementChild?.replaceWith(icon('table'));
  }

  /** Call it when the line is removed. */
  release(): void {
    this.#previews.forget(this.element);
    this.#releasePreview();
  }

  #showPicture(result: PictureResult, label: string): void {
    const { variants, thumbhash } = result;
    const bySize = [...variants].sort((a, b) => a.width * a.height - b.width * b.height);
    const large = bySize.at(-1);
    const small = this.#isTile
      ? (bySize.find(({ width, height }) => Math.min(width, height) >= TILE_PIXELS) ?? large)
      : bySize.at(0);
    if (!small || !large) return;
    if (this.#previewUrl === null) this.#showPreview(sketch(thumbhash));
    showBackground(this.element, result);
    this.element.href = large.url;
    this.element.target = '_blank';
    this.element.rel = 'noopener noreferrer';
    this.element.setAttribute('aria-label', label);
    this.element.addEventListener('click', (event) => this.#clicked(event));
    const image = pictureOf(small.url);
    const atMs = performance.now();
    const loaded = (): void => {
      // The preview stays until the variant has loaded, so that nothing flickers or disappears.
      this.#releasePreview();
      if (this.#isTile && performance.now() - atMs < FRESH_MS) flash(image);
    };
    image.addEventListener('load', loaded, { once: true });
    this.element.append(image);
  }

  /** Opens the viewer, unless a key or another button was used: then the browser opens the file in a tab or window. */
  #clicked(event: MouseEvent): void {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#view();
  }

  #showPreview(url: string): void {
    this.#previewUrl = url;
    this.element.replaceChildren(pictureOf(url));
  }

  #releasePreview(): void {
    if (this.#previewUrl === null) return;
    URL.revokeObjectURL(this.#previewUrl);
    this.#previewUrl = null;
    const [preview, variant] = this.element.children;
    if (variant) preview?.remove();
  }
}

/** Shows the extension. It is hidden from screen readers, which read the whole name beside it. */
function extensionLabel(name: string): HTMLElement {
  const label = make('span', 'extension', /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toUpperCase() ?? '');
  label.setAttribute('aria-hidden', 'true');
  return label;
}

function sketch(thumbhash: string): string {
  return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (char) => char.charCodeAt(0)));
}

/** Animates by script, because the style sheet would start again each time the tile moves or scrolls into view. */
function flash(image: HTMLImageElement): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  image.animate([{ filter: 'brightness(1.35)' }, { filter: 'none' }], { duration: 600, easing: 'ease-out' });
}

function pictureOf(url: string): HTMLImageElement {
  const image = make('img', '');
  image.alt = '';
  image.decoding = 'async';
  image.loading = 'lazy';
  image.src = url;
  return image;
}
