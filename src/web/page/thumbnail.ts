import type { PictureResult } from '../../api.ts';
import { icon, make } from './dom.ts';
import type { Previews } from './preview.ts';

/**
 * The small picture at the head of a line: a sign, then a local preview, then the variant
 * that the server has made, which it links to.
 */
export class Thumbnail {
  readonly element = make('a', 'thumbnail', icon('picture'));
  readonly #previews: Previews;
  #previewUrl: string | null = null;

  constructor(previews: Previews, file: File | null) {
    this.#previews = previews;
    if (file) previews.want(this.element, file, (url) => this.#showPreview(url));
  }

  /** `label` is what the link is called. */
  showResult({ variants, dominantColour }: PictureResult, label: string): void {
    const smallest = [...variants].sort((a, b) => a.width - b.width).at(0);
    const largest = [...variants].sort((a, b) => b.width - a.width).at(0);
    this.#previews.forget(this.element);
    if (!smallest || !largest) return;
    this.element.style.backgroundColor = dominantColour;
    this.element.href = largest.url;
    this.element.target = '_blank';
    this.element.rel = 'noopener noreferrer';
    this.element.setAttribute('aria-label', label);
    const image = pictureOf(smallest.url);
    // Until it has come, the preview stays: nothing flickers, and nothing is lost should it not come.
    image.addEventListener('load', () => this.#releasePreview(), { once: true });
    if (this.#previewUrl === null) this.element.replaceChildren(image);
    else this.element.append(image);
  }

  /** To be called when the line goes. */
  release(): void {
    this.#previews.forget(this.element);
    this.#releasePreview();
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

function pictureOf(url: string): HTMLImageElement {
  const image = make('img', '');
  image.alt = '';
  image.decoding = 'async';
  image.loading = 'lazy';
  image.src = url;
  return image;
}
