import { thumbHashToDataURL } from 'thumbhash';
import type { PictureResult, Result } from '../wire/documents.ts';
import { icon, make } from './dom.ts';
import { isTable } from './file-kinds.ts';
import type { Previews } from './preview.ts';

/**
 * The small picture at the start of a line. It shows an icon first, then a preview of the local file or of the
 * thumbhash, and at last the smallest variant, as a link to the largest one. A variant is requested only after it
 * exists, because a held request would occupy one of the browser's six connections.
 */
export class Thumbnail {
  readonly element: HTMLAnchorElement;
  readonly #previews: Previews;
  #previewUrl: string | null = null;

  constructor(previews: Previews, { name, file }: { name: string; file: File | null }) {
    this.#previews = previews;
    this.element = make('a', 'thumbnail', icon(isTable({ name }) ? 'table' : 'file'));
    this.showFile(file);
  }

  /** Starts to create a preview if the browser can decode the file. */
  showFile(file: File | null): void {
    if (file) this.#previews.request(this.element, file, (url) => this.#showPreview(url));
  }

  /** @param label the accessible name of the link. */
  showResult(result: Result, label: string): void {
    this.#previews.forget(this.element);
    if (result.kind === 'picture') this.#showPicture(result, label);
    if (result.kind === 'table') this.element.replaceChildren(icon('table'));
  }

  /** Call it when the line is removed. */
  release(): void {
    this.#previews.forget(this.element);
    this.#releasePreview();
  }

  #showPicture({ variants, dominantColour, thumbhash }: PictureResult, label: string): void {
    const bySize = [...variants].sort((a, b) => a.width * a.height - b.width * b.height);
    const smallest = bySize.at(0);
    const largest = bySize.at(-1);
    if (!smallest || !largest) return;
    if (this.#previewUrl === null) this.#showPreview(sketch(thumbhash));
    this.element.style.backgroundColor = dominantColour;
    this.element.href = largest.url;
    this.element.target = '_blank';
    this.element.rel = 'noopener noreferrer';
    this.element.setAttribute('aria-label', label);
    const image = pictureOf(smallest.url);
    // The preview stays until the variant has loaded, so that nothing flickers or disappears.
    image.addEventListener('load', () => this.#releasePreview(), { once: true });
    this.element.append(image);
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

function sketch(thumbhash: string): string {
  return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (char) => char.charCodeAt(0)));
}

function pictureOf(url: string): HTMLImageElement {
  const image = make('img', '');
  image.alt = '';
  image.decoding = 'async';
  image.loading = 'lazy';
  image.src = url;
  return image;
}
