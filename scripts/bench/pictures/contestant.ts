import type { Batch } from './questions.ts';

/** A way to make three sizes of each photo: 1600 and 640 pixels in WebP, 160 in JPEG. */
export interface Contestant {
  /** Name of the peer in the table. */
  readonly title: string;
  /** Makes the pictures. Resolves when all are made. */
  convert(batch: Batch): Promise<void>;
  end(): Promise<void>;
}
