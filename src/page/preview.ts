/** Twice the width of the thumbnail in CSS pixels, for high-density screens. */
const PREVIEW_WIDTH = 128;
/** Larger files get no preview, because decoding them is too slow on a phone. */
const MAX_BYTES = 60_000_000;

/**
 * Creates previews of local files, one at a time and only for visible lines, because 200 photos of 12 megapixels would
 * not fit into memory.
 */
export class Previews {
  readonly #files = new Map<Element, { file: File; show: (url: string) => void }>();
  readonly #visible = new Set<Element>();
  readonly #observer = new IntersectionObserver((entries) => this.#visibilityChanged(entries), { rootMargin: '200px' });
  #running = false;

  /**
   * Calls `show` with a `blob:` URL, which `show` must revoke. Does not call it if the browser cannot decode the file.
   */
  request(element: Element, file: File, show: (url: string) => void): void {
    if (file.size > MAX_BYTES || !isPicture(file)) return;
    this.#files.set(element, { file, show });
    this.#observer.observe(element);
  }

  /** Call it when the preview is no longer needed. */
  forget(element: Element): void {
    this.#files.delete(element);
    this.#visible.delete(element);
    this.#observer.unobserve(element);
  }

  #visibilityChanged(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#visible.add(target);
      else this.#visible.delete(target);
    }
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let [element] = this.#visible; element; [element] = this.#visible) {
      const wanted = this.#files.get(element);
      this.#visible.delete(element);
      if (wanted) await this.#make(element, wanted.file);
    }
    this.#running = false;
  }

  async #make(element: Element, file: File): Promise<void> {
    const preview = await shrink(file).catch(() => null);
    // If it is no longer needed, nobody would revoke the URL.
    const wanted = this.#files.get(element);
    this.forget(element);
    if (preview && wanted) wanted.show(URL.createObjectURL(preview));
  }
}

/** Files without a media type are tried too, because the browser decodes by the bytes. */
function isPicture({ type }: File): boolean {
  return type === '' || type.startsWith('image/');
}

async function shrink(file: File): Promise<Blob | null> {
  const bitmap = await createImageBitmap(file, { resizeWidth: PREVIEW_WIDTH, resizeQuality: 'medium' });
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
