import { ServiceError } from '../../errors.ts';
import type { UploadMetadata } from '../../record/record-fields.ts';
import { isUploadId } from '../../http/upload-id.ts';
import { cleanFileName } from '../../intake/file-name.ts';
import { readOptionsJson } from '../../intake/options-json.ts';

/** The file's name: tus-js-client calls it `filename`, Uppy `name` and `filename`. Fit to be shown. */
export function fileNameIn(metadata: UploadMetadata): string {
  return cleanFileName(metadata['filename'] ?? metadata['name'] ?? '');
}

/** The value of `options`, JSON; `{}` where there is none. Throws `bad_options` (400). */
export function optionsIn(metadata: UploadMetadata): unknown {
  const { options } = metadata;
  if (options === undefined || options === null || options === '') return {};
  return readOptionsJson(options, 'The value "options" of Upload-Metadata');
}

/** The client's own id for the upload; undefined where it leaves the choice to us. Throws `bad_upload_id` (400). */
export function uploadIdIn(metadata: UploadMetadata): string | undefined {
  const { uploadId } = metadata;
  if (uploadId === undefined || uploadId === null || uploadId === '') return undefined;
  if (isUploadId(uploadId)) return uploadId;
  throw new ServiceError('bad_upload_id', 'The value "uploadId" of Upload-Metadata is a lower-case UUID of version 4.');
}
