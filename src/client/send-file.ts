import type { Upload } from '../wire/documents.ts';
import { runAttempt, SilenceLimit, type AttemptOptions, type AttemptRequest } from './attempt.ts';
import { contentDisposition } from './content-disposition.ts';
import type { Http } from './http.ts';
import { retry, type RetryOptions } from './retry.ts';
import type { FileToSend } from './task-spec.ts';
import type { Tickets } from './tickets.ts';
import { asUploadError, isTransferProblem } from './upload-error.ts';
import { isUpload } from './wire.ts';

/** A file, its upload and the limits of the transfer. */
export interface SendOptions extends RetryOptions, Pick<AttemptOptions, 'onAttempt'> {
  http: Http;
  tickets: Tickets;
  id: string;
  file: FileToSend;
  signal: AbortSignal;
  /** True if the server may already have an upload with this id. */
  isKnown: boolean;
}

/**
 * Sends the file in one request, and repeats it until the server has all bytes. The upload is read before the bytes are
 * sent again, because only the answer may have been lost. Resolves with undefined if a newer request sends this file.
 */
export async function sendFile(options: SendOptions): Promise<Upload | undefined> {
  try {
    return await retry(async (failures) => {
      const existing = failures > 0 || options.isKnown ? await readUpload(options) : undefined;
      if (existing && needsNoMoreBytes(existing)) return existing;
      // No limit here, because the server ends a silent request and records that.
      const silence = new SilenceLimit(Infinity);
      return await runAttempt((request) => putFile(options, request), { ...options, silence });
    }, options);
  } catch (error) {
    if (asUploadError(error).code === 'upload_superseded') return undefined;
    throw error;
  }
}

function putFile(
  { http, tickets, id, file: { blob, name, options } }: SendOptions,
  { signal, onSent }: AttemptRequest,
): Promise<Upload> {
  const headers: Record<string, string> = {
    'Content-Type': blob.type || 'application/octet-stream',
    'Content-Disposition': contentDisposition(name),
  };
  const query = options === undefined ? '' : `?options=${encodeURIComponent(JSON.stringify(options))}`;
  return tickets.use(
    (ticket) =>
      http.request(`/uploads/${id}${query}`, isUpload, {
        method: 'PUT',
        headers: { ...headers, ...ticket },
        body: blob,
        signal,
        onSent,
      }),
    signal,
  );
}

/** Resolves with undefined if the server does not know the upload. */
export async function readUpload({
  http,
  id,
  signal,
}: Pick<SendOptions, 'http' | 'id' | 'signal'>): Promise<Upload | undefined> {
  try {
    return await http.request(`/uploads/${id}`, isUpload, { signal });
  } catch (error) {
    if (asUploadError(error).code === 'unknown_upload') return undefined;
    throw error;
  }
}

/** True if the server has all bytes, or the upload has ended and sending it again cannot help. */
export function needsNoMoreBytes({ state, error }: Upload): boolean {
  if (state === 'receiving') return false;
  return !(state === 'failed' && error !== null && isTransferProblem(error));
}
