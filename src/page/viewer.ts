import type { PictureResult, Upload } from '../wire/documents.ts';
import { required, setText } from './dom.ts';
import { type PictureAddress, pictureFragment, readPictureFragment, variantPath } from './picture-address.ts';
import { showBackground } from './picture-background.ts';
import { listenForSwipes } from './swipe.ts';
import { largestVariant, viewerDetails, type DetailActions } from './viewer-details.ts';
import type { Words } from './words.ts';

/** A finished picture of the list. */
export interface ViewedPicture {
  readonly upload: Upload;
  readonly result: PictureResult;
  readonly actions: DetailActions;
}

interface ViewerParts {
  words: Words;
  /** The path of the service. */
  base: string;
  /** The finished pictures in the order in which they are shown. */
  pictures: () => readonly ViewedPicture[];
}

/**
 * Shows one picture in the whole window. The address of the page names it, so that a reload, the back button and a link
 * work. A picture that is not in the list is shown without facts.
 */
export class Viewer {
  readonly #parts: ViewerParts;
  readonly #dialog = required('#viewer', HTMLDialogElement);
  readonly #stage = required('#viewer-stage', HTMLElement);
  readonly #image = required('#viewer-image', HTMLImageElement);
  readonly #gone = required('#viewer-gone', HTMLElement);
  readonly #previous = required('#viewer-previous', HTMLButtonElement);
  readonly #next = required('#viewer-next', HTMLButtonElement);
  readonly #name = required('#viewer-name', HTMLElement);
  readonly #count = required('#viewer-count', HTMLElement);
  readonly #details = required('#viewer-details', HTMLElement);
  #address: PictureAddress | null = null;
  #shown: Upload | null = null;
  /** The last place of the picture in the list. */
  #index = 0;
  /** Address of the picture that the browser already loads, so that it appears at once when it is shown. */
  #preloaded = '';

  constructor(parts: ViewerParts) {
    this.#parts = parts;
    required('#viewer-close', HTMLButtonElement).addEventListener('click', () => this.#leave());
    this.#previous.addEventListener('click', () => this.#move(-1));
    this.#next.addEventListener('click', () => this.#move(1));
    this.#dialog.addEventListener('keydown', ({ key }) => {
      if (key === 'ArrowLeft') this.#move(-1);
      if (key === 'ArrowRight') this.#move(1);
    });
    // Escape closes the dialog. The event comes later, so the viewer may already show another picture.
    this.#dialog.addEventListener('close', () => this.#dialog.open || this.#leave());
    this.#image.addEventListener('error', () => this.#showGone(true));
    listenForSwipes(this.#stage, { left: () => this.#move(1), right: () => this.#move(-1) });
    addEventListener('popstate', () => this.#followAddress());
    this.#followAddress();
  }

  /** Opens the viewer with the picture. */
  open(upload: Upload): void {
    const picture = this.#parts.pictures().find((other) => other.upload.publicId === upload.publicId);
    if (!picture) return;
    const address = addressOf(picture);
    history.pushState({ isViewer: true }, '', pictureFragment(address));
    this.#show(address);
  }

  /** Call it after each change of the list. */
  refresh(): void {
    if (!this.#address) return;
    const pictures = this.#parts.pictures();
    const isListed = pictures.some(({ upload }) => upload.publicId === this.#address?.publicId);
    if (isListed === (this.#shown !== null)) return this.#showPlace(pictures);
    if (isListed) return this.#show(this.#address);
    // The picture was hidden or deleted.
    const neighbour = pictures[Math.min(this.#index, pictures.length - 1)];
    if (neighbour) this.#replace(neighbour);
    else this.#leave();
  }

  /** Shows the texts again, for example in another language. */
  rebuild(): void {
    this.#shown = null;
    if (this.#address) this.#show(this.#address);
  }

  #followAddress(): void {
    const address = readPictureFragment(location.hash);
    if (address) return this.#show(address);
    this.#address = null;
    if (this.#dialog.open) this.#dialog.close();
  }

  #show(address: PictureAddress): void {
    const pictures = this.#parts.pictures();
    const picture = pictures.find(({ upload }) => upload.publicId === address.publicId);
    const url = variantPath(address, this.#parts.base);
    this.#address = address;
    this.#showGone(false);
    if (this.#image.getAttribute('src') !== url) this.#image.src = url;
    this.#image.alt = picture?.upload.file.name ?? this.#parts.words.viewer.picture;
    showBackground(this.#image, picture?.result);
    setText(this.#name, picture?.upload.file.name ?? '');
    this.#details.replaceChildren(...(picture ? viewerDetails(picture, this.#parts.words) : []));
    this.#shown = picture?.upload ?? null;
    this.#showPlace(pictures);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #showPlace(pictures: readonly ViewedPicture[]): void {
    const index = this.#indexIn(pictures);
    if (index >= 0) this.#index = index;
    this.#previous.hidden = index <= 0;
    this.#next.hidden = index < 0 || index >= pictures.length - 1;
    setText(this.#count, index < 0 ? '' : this.#parts.words.viewer.place(index + 1, pictures.length));
    const next = pictures[index + 1];
    if (index >= 0 && next) this.#preload(variantPath(addressOf(next), this.#parts.base));
  }

  #preload(url: string): void {
    if (url === this.#preloaded) return;
    this.#preloaded = url;
    new Image().src = url;
  }

  #showGone(isGone: boolean): void {
    this.#gone.hidden = !isGone;
    this.#image.hidden = isGone;
  }

  #move(step: number): void {
    const pictures = this.#parts.pictures();
    const index = this.#indexIn(pictures);
    const picture = pictures[index + step];
    if (index < 0 || !picture) return;
    this.#replace(picture);
  }

  #replace(picture: ViewedPicture): void {
    const address = addressOf(picture);
    history.replaceState(history.state, '', pictureFragment(address));
    this.#show(address);
  }

  #leave(): void {
    if (!this.#address) return;
    const state: unknown = history.state;
    this.#address = null;
    this.#shown = null;
    if (this.#dialog.open) this.#dialog.close();
    const isOurs = typeof state === 'object' && state !== null && 'isViewer' in state;
    if (isOurs) history.back();
    else history.replaceState(null, '', location.pathname + location.search);
  }

  #indexIn(pictures: readonly ViewedPicture[]): number {
    return pictures.findIndex(({ upload }) => upload.publicId === this.#address?.publicId);
  }
}

function addressOf({ upload, result }: ViewedPicture): PictureAddress {
  return { publicId: upload.publicId, variant: largestVariant(result)?.name ?? '' };
}
