import { ServiceError } from '../../errors.ts';
import type { Caller } from '../../access/caller.ts';
import type { UploadMetadata, UploadRecord } from '../../record/record-fields.ts';
import { isUploadId } from '../../http/parameters.ts';
import { cleanFileName } from '../../intake/file-name.ts';
import type { Kinds } from '../../kinds/kinds.ts';
import { areTakenBySome, readOptionsJson } from '../../intake/options.ts';
import { optionsFor } from '../../intake/ticket-rules.ts';

/**
 * Returns an `Upload-Metadata` in the strict form of the protocol, undefined if it has no entry. Clients add blanks
 * after commas, end with a comma, send an empty header, or write values in base64url or without padding.
 */
export function plainMetadata(header: string): string | undefined {
  const entries = header.split(',').flatMap((entry) => {
    const [name = '', value, ...rest] = entry.trim().split(/[ \t]+/);
    if (name === '') return [];
    return [[name, ...(value === undefined ? [] : [plainBase64(value)]), ...rest].join(' ')];
  });
  return entries.length === 0 ? undefined : entries.join(',');
}

function plainBase64(value: string): string {
  const text = value.replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Returns the clean file name. tus-js-client sends it as `filename`, Uppy as `name` and `filename`. */
export function fileNameIn(metadata: UploadMetadata): string {
  return cleanFileName(metadata['filename'] ?? metadata['name'] ?? '');
}

/** At most this many bytes of `Upload-Metadata` are stored, names and values together. */
const MOST_KEPT_BYTES = 1024;

/** Names that the service or its clients use. They are stored first. */
const OUR_NAMES: readonly string[] = ['options', 'uploadId', 'filename', 'name', 'filetype', 'type'];

/**
 * Returns the entries of `Upload-Metadata` that are stored until the upload has ended: at most 1 KB. Entries that do
 * not fit are dropped, except options that a file kind accepts. Throws `bad_options` (400) for long options that none
 * accepts.
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
    'The value "options" of Upload-Metadata is long and not valid. Send only values that differ from the defaults.',
  );
}

/** Returns the parsed value of `options`, `{}` if it is missing. Throws `bad_options` (400). */
export function optionsIn(metadata: UploadMetadata): unknown {
  const { options } = metadata;
  if (options === undefined || options === null || options === '') return {};
  return readOptionsJson(options, 'The value "options" of Upload-Metadata');
}

/**
 * Returns the options of an upload that is created: the preset's, or the options that the client sent. Throws
 * `bad_options` (400), and `ticket_forbids` (403) if the client sent options although a preset fixes them.
 */
export function newOptions(caller: Caller, metadata: UploadMetadata): unknown {
  const areSent = typeof metadata['options'] === 'string' && metadata['options'] !== '';
  return optionsFor(caller, areSent ? optionsIn(metadata) : undefined);
}

/** Returns the options of an upload that exists. */
export function optionsOf({ allowed, options, metadata }: UploadRecord): unknown {
  return allowed?.preset === undefined ? optionsIn(metadata ?? {}) : options;
}

/**
 * Returns the id that the client has chosen, undefined if the service should make one. Throws `bad_upload_id` (400).
 */
export function uploadIdIn(metadata: UploadMetadata): string | undefined {
  const { uploadId } = metadata;
  if (uploadId === undefined || uploadId === null || uploadId === '') return undefined;
  if (isUploadId(uploadId)) return uploadId;
  throw new ServiceError(
    'bad_upload_id',
    'The value "uploadId" of Upload-Metadata must be a lower-case UUID of version 4.',
  );
}
