/** Twice the thumbnail's side in CSS pixels, for dense screens. */
const PREVIEW_WIDTH = 128;
/** Decoding more than this on someone's phone is not worth a small picture. */
const MOST_BYTES = 60_000_000;

/**
 * Makes small pictures of local files, one at a time and only of those on the screen: two
 * hundred photos of twelve megapixels would not fit into memory.
 */
export class Previews {
  readonly #files = new Map<Element, { file: File; show: (url: string) => void }>();
  readonly #visible = new Set<Element>();
  readonly #observer = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: '200px' });
  #running = false;

  /** `show` is given a blob: URL, which is its to revoke, unless the file is no picture the browser knows. */
  want(element: Element, file: File, show: (url: string) => void): void {
    if (file.size > MOST_BYTES || !isPicture(file)) return;
    this.#files.set(element, { file, show });
    this.#observer.observe(element);
  }

  /** To be called when something better is shown, or the element is gone. */
  forget(element: Element): void {
    this.#files.delete(element);
    this.#visible.delete(element);
    this.#observer.unobserve(element);
  }

  #seen(entries: readonly IntersectionObserverEntry[]): void {
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
    // It may have been forgotten meanwhile, and nobody would revoke the URL then.
    const wanted = this.#files.get(element);
    this.forget(element);
    if (preview && wanted) wanted.show(URL.createObjectURL(preview));
  }
}

/** Where the name has told the browser nothing, the bytes may. */
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
