import type { DirectPart, DirectUploadDocument, StoredPartsDocument, Upload } from '../wire/documents.ts';
import { jsonBody, type PutPart } from './http.ts';
import { runAttempt, SilenceLimit } from './attempt.ts';
import { retry } from './retry.ts';
import { needsNoMoreBytes, readUpload, type SendOptions } from './send-file.ts';
import { asUploadError } from './upload-error.ts';
import { isDirectParts, isDirectUpload, isStoredParts, isUpload } from './wire.ts';

/** Number of addresses in one request. Each request also moves the percent of the upload. */
const ADDRESSES_AT_ONCE = 4;

/** A file, and how its parts are put into the bucket. */
export interface DirectOptions extends SendOptions {
  putPart: PutPart;
}

/** The parts of a file that the bucket has, and how the file is divided. */
interface Plan {
  partSize: number;
  stored: ReadonlySet<number>;
  addresses: Map<number, DirectPart>;
}

/**
 * Puts the parts of the file into the bucket of the service, and lets the service join them. A part that the bucket has
 * is never sent again. Resolves with undefined if the service has no bucket.
 */
export async function sendDirect(options: DirectOptions): Promise<Upload | undefined> {
  const begun = await retry((failures) => begin(options, options.isKnown || failures > 0), options);
  if (begun === undefined || 'id' in begun) return begun;
  const { partSize, stored, addresses } = begun;
  const count = Math.ceil(options.file.blob.size / partSize);
  for (let number = 1; number <= count; number += 1) {
    if (!stored.has(number)) await retry(() => sendPart(options, addresses, number, partSize), options);
  }
  return await retry(() => complete(options), options);
}

/** Resolves with the Upload if it needs no more bytes, and with undefined if the service has no bucket. */
async function begin(options: SendOptions, isUnsure: boolean): Promise<Plan | Upload | undefined> {
  if (isUnsure) {
    const existing = await readUpload(options);
    if (existing && needsNoMoreBytes(existing)) return existing;
    if (existing?.state === 'receiving') {
      const found = await listStored(options);
      if (found) return { ...found, stored: numbersOf(found), addresses: new Map() };
    }
  }
  const created = await create(options);
  if (!created) return undefined;
  const addresses = new Map(created.parts.map((part) => [part.number, part]));
  return { partSize: created.partSize, stored: new Set(), addresses };
}

async function create({ http, tickets, id, file, signal }: SendOptions): Promise<DirectUploadDocument | undefined> {
  const { blob, name: fileName, options } = file;
  const body = jsonBody({ id, fileName, size: blob.size, options });
  return await unless('no_direct_uploads', () =>
    tickets.use(
      (headers) => http.request('/uploads/direct', isDirectUpload, { method: 'POST', headers, body, signal }),
      signal,
    ),
  );
}

async function sendPart(
  options: DirectOptions,
  addresses: Map<number, DirectPart>,
  number: number,
  partSize: number,
): Promise<void> {
  const { http, putPart, id, file, signal } = options;
  if (!addresses.has(number)) {
    const query = `from=${number}&count=${ADDRESSES_AT_ONCE}`;
    const { parts } = await http.request(`/uploads/${id}/direct/parts?${query}`, isDirectParts, { signal });
    for (const part of parts) addresses.set(part.number, part);
  }
  const part = addresses.get(number);
  // After a failure the address may have expired.
  addresses.delete(number);
  const body = file.blob.slice((number - 1) * partSize, number * partSize);
  await runAttempt((request) => putPart(part?.url ?? '', { headers: part?.headers ?? {}, body, ...request }), {
    ...options,
    silence: new SilenceLimit(Infinity),
  });
}

/** Gets the list of parts from the service, because a page may be unable to read the ETags of the bucket. */
async function complete(options: SendOptions): Promise<Upload> {
  const { http, id, signal } = options;
  const found = await listStored(options);
  // The answer of an earlier request may have been lost.
  if (!found) return await http.request(`/uploads/${id}`, isUpload, { signal });
  const body = jsonBody({ parts: found.parts.map(({ number, etag }) => ({ number, etag })) });
  return await http.request(`/uploads/${id}/direct/complete`, isUpload, { method: 'POST', body, signal });
}

function listStored({ http, id, signal }: SendOptions): Promise<StoredPartsDocument | undefined> {
  return unless('no_direct_upload', () => http.request(`/uploads/${id}/direct/stored`, isStoredParts, { signal }));
}

/** Resolves with undefined if `send` fails with this code. */
async function unless<T>(code: string, send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    if (asUploadError(error).code === code) return undefined;
    throw error;
  }
}

function numbersOf({ parts }: StoredPartsDocument): ReadonlySet<number> {
  return new Set(parts.map(({ number }) => number));
}
