import type { ColourNumbers } from '../cicp.ts';
import type { Size } from '../size.ts';

/** The task that a thread receives when it starts. */
export interface HeicTask {
  /** libheif, compiled. All threads share its machine code. */
  readonly library: WebAssembly.Module;
  readonly file: Uint8Array<ArrayBuffer>;
  /**
   * `header` reads the description of the picture and decodes nothing. `deep pixels` have 16 bits per channel, as an
   * HDR curve needs them.
   */
  readonly wanted: 'header' | 'pixels' | 'deep pixels';
  /** Pixels of the decoded picture above which nothing is decoded. */
  readonly maxPixels: number;
}

/** The description of a picture in a HEIC file. */
export interface HeicHeader extends Size, ColourNumbers {
  readonly hasAlpha: boolean;
  /** Pictures of their own in the file, without thumbnails, depth and the like. */
  readonly pictures: number;
  /** The EXIF data, from the TIFF header on. */
  readonly exif: Uint8Array<ArrayBuffer> | undefined;
  readonly icc: Uint8Array<ArrayBuffer> | undefined;
}

/** Why a file cannot be read. */
export type HeicFailure = 'damaged' | 'unsupported' | 'moving' | 'too-large';

/** The only message of a thread. */
export type HeicAnswer =
  | { readonly type: 'header'; readonly header: HeicHeader }
  /** A TIFF without compression, upright. */
  | { readonly type: 'pixels'; readonly tiff: Uint8Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly failure: HeicFailure; readonly words: string };
