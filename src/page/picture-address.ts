/** A picture in the address of the page. It contains no secret, so the address may be sent to other people. */
export interface PictureAddress {
  readonly publicId: string;
  /** Name of a variant. */
  readonly variant: string;
}

const FORM = /^#photo=([\w-]{1,100})\/([\w.-]{1,100})$/;

/** Returns the fragment of the page's address that opens the picture. */
export function pictureFragment({ publicId, variant }: PictureAddress): string {
  return `#photo=${publicId}/${variant}`;
}

/** Reads the fragment of the page's address. Returns null if it names no picture. */
export function readPictureFragment(fragment: string): PictureAddress | null {
  const [, publicId, variant] = FORM.exec(fragment) ?? [];
  return publicId === undefined || variant === undefined ? null : { publicId, variant };
}

/** Returns the path of a variant. `base`: the path of the service. */
export function variantPath({ publicId, variant }: PictureAddress, base: string): string {
  return `${base}/variants/${publicId}/${variant}`;
}
