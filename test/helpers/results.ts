import type { PictureResult, TableResult, Upload } from '../../src/wire/documents.ts';

/** The result of an upload that was a picture; throws if it has another or none. */
export function pictureResult(upload: Pick<Upload, 'result' | 'error'> | undefined): PictureResult {
  if (upload?.result?.kind === 'picture') return upload.result;
  throw new Error(`no picture: ${JSON.stringify(upload?.result ?? upload?.error)}`);
}

/** The result of an upload that was a table; throws if it has another or none. */
export function tableResult(upload: Pick<Upload, 'result' | 'error'> | undefined): TableResult {
  if (upload?.result?.kind === 'table') return upload.result;
  throw new Error(`no table: ${JSON.stringify(upload?.result ?? upload?.error)}`);
}
