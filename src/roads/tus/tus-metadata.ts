import { ServiceError } from '../../errors.ts';
import type { UploadMetadata } from '../../record/record-fields.ts';
import { isUploadId } from '../../http/parameters.ts';
import { cleanFileName } from '../../intake/file-name.ts';
import type { Kinds } from '../../kinds/kinds.ts';
import { areTakenBySome, readOptionsJson } from '../../intake/options.ts';

/** The file's name: tus-js-client calls it `filename`, Uppy `name` and `filename`. Fit to be shown. */
export function fileNameIn(metadata: UploadMetadata): string {
  return cleanFileName(metadata['filename'] ?? metadata['name'] ?? '');
}

/** So much of `Upload-Metadata` is kept, names and values together. */
const MOST_KEPT_BYTES = 1024;

/** Names that the service or its clients go by; they are kept first. */
const OUR_NAMES: readonly string[] = ['options', 'uploadId', 'filename', 'name', 'filetype', 'type'];

/**
 * The part of `Upload-Metadata` that is kept until the upload has ended: at most 1 KB. Entries that do not fit are
 * dropped, except options that some kind of file takes. Throws `bad_options` (400) for long ones that none takes.
 */
export function keptMetadata(metadata: UploadMetadata, kinds: Kinds): UploadMetadata {
  const kept = new Map<string, string | null>();
  let leftBytes = MOST_KEPT_BYTES;
  const names = [...OUR_NAMES.filter((name) => name in metadata), ...Object.keys(metadata)];
  for (const name of new Set(names)) {
    const value = metadata[name] ?? null;
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value ?? '');
    if (bytes <= leftBytes) {
      leftBytes -= bytes;
      kept.set(name, value);
    } else if (name === 'options') {
      kept.set(name, longOptions(metadata, kinds));
    }
  }
  // HEAD returns the entries in the order of the client (tus 1.0, Upload-Metadata).
  const inOrder = Object.keys(metadata).filter((name) => kept.has(name));
  return Object.fromEntries(inOrder.map((name) => [name, kept.get(name) ?? null]));
}

function longOptions(metadata: UploadMetadata, kinds: Kinds): string {
  const options = optionsIn(metadata);
  if (areTakenBySome(kinds, options)) return JSON.stringify(options);
  throw new ServiceError(
    'bad_options',
    'The value "options" of Upload-Metadata is long, and no kind of file takes it. Send what differs from the defaults alone.',
  );
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
