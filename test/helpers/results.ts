import type { PictureResult, TableResult, Upload } from '../../src/wire/documents.ts';

/** Returns the result of a picture. Throws if the upload has another result or none. */
export function pictureResult(upload: Pick<Upload, 'result' | 'error'> | undefined): PictureResult {
  if (upload?.result?.kind === 'picture') return upload.result;
  throw new Error(`no picture: ${JSON.stringify(upload?.result ?? upload?.error)}`);
}

/** Returns the result of a table. Throws if the upload has another result or none. */
export function tableResult(upload: Pick<Upload, 'result' | 'error'> | undefined): TableResult {
  if (upload?.result?.kind === 'table') return upload.result;
  throw new Error(`no table: ${JSON.stringify(upload?.result ?? upload?.error)}`);
}

/** The result of a picture of one pixel, without variants. */
export const TINY_PICTURE: PictureResult = {
  kind: 'picture',
  format: 'jpeg',
  width: 1,
  height: 1,
  frames: 1,
  hasAlpha: false,
  colourSpace: 'srgb',
  orientation: 1,
  takenAt: null,
  camera: null,
  lens: null,
  exposure: null,
  dominantColour: '#000000',
  thumbhash: '',
  perceptualHash: 'd1c42f0e9a6b53e7',
  variants: [],
};
