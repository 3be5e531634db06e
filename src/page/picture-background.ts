import type { PictureResult } from '../wire/documents.ts';

/**
 * Shows the main colour of a picture behind it while it loads. A transparent picture gets a chequerboard, because a
 * logo would be invisible on its own main colour.
 */
export function showBackground(element: HTMLElement, picture: PictureResult | undefined): void {
  const isTransparent = picture?.hasAlpha === true;
  element.classList.toggle('chequered', isTransparent);
  element.style.backgroundColor = isTransparent ? '' : (picture?.dominantColour ?? '');
}
