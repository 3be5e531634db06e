import { isOnScreen } from './dom.ts';
import { isTable } from './file-kinds.ts';

/** Number of previews that are created at the same time. */
const AT_ONCE = 2;
/** Larger files get no preview, because decoding them is too slow on a phone. */
const MAX_BYTES = 60_000_000;

interface Wanted {
  readonly file: File;
  readonly width: number;
  readonly show: (url: string) => void;
}

/**
 * Creates previews of local files, two at a time and only near the visible part of the page, because 200 photos of 12
 * megapixels would not fit into memory.
 */
export class Previews {
  readonly #wanted = new Map<Element, Wanted>();
  readonly #visible = new Set<Element>();
  readonly #observer = new IntersectionObserver((entries) => this.#visibilityChanged(entries), { rootMargin: '200px' });
  #running = 0;

  /**
   * Calls `show` with a `blob:` URL, which `show` must revoke. Does not call it if the browser cannot decode the file.
   * @param width in pixels of the device.
   */
  request(element: Element, { file, width, show }: Wanted): void {
    if (file.size > MAX_BYTES || !mayBePicture(file)) return;
    this.#wanted.set(element, { file, width, show });
    this.#observer.observe(element);
  }

  /** Call it when the preview is no longer needed. */
  forget(element: Element): void {
    this.#wanted.delete(element);
    this.#visible.delete(element);
    this.#observer.unobserve(element);
  }

  #visibilityChanged(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#visible.add(target);
      else this.#visible.delete(target);
    }
    // The loop ends even if each run fails at once.
    const free = AT_ONCE - this.#running;
    for (let count = 0; count < free && this.#visible.size > 0; count += 1) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running += 1;
    try {
      for (let element = this.#next(); element; element = this.#next()) {
        const wanted = this.#wanted.get(element);
        this.#visible.delete(element);
        if (wanted) await this.#make(element, wanted);
      }
    } finally {
      this.#running -= 1;
    }
  }

  /** Returns the next element to load: first those on the screen, then those around it. */
  #next(): Element | undefined {
    const [first] = this.#visible;
    return [...this.#visible].find(isOnScreen) ?? first;
  }

  async #make(element: Element, { file, width }: Wanted): Promise<void> {
    const preview = await shrink(file, width).catch(() => null);
    // If it is no longer needed, nobody would revoke the URL.
    const wanted = this.#wanted.get(element);
    this.forget(element);
    if (preview && wanted) wanted.show(URL.createObjectURL(preview));
  }
}

/** True for pictures, and for files without a media type, because the browser decodes by the bytes. */
function mayBePicture({ name, type }: File): boolean {
  return !isTable({ name }) && (type === '' || type.startsWith('image/'));
}

async function shrink(file: File, width: number): Promise<Blob | null> {
  const bitmap = await createImageBitmap(file, { resizeWidth: width, resizeQuality: 'medium' });
  const canvas = document.createElement('canvas');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return await new Promise((resolve) => canvas.toBlob(resolve, 'image/webp', 0.85));
}
