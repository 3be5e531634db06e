import type { Upload } from '../wire/documents.ts';
import { runAttempt, type AttemptOptions } from './attempt.ts';
import { contentDisposition } from './content-disposition.ts';
import type { Http } from './http.ts';
import { retry, type RetryOptions } from './retry.ts';
import type { FileToSend } from './task-spec.ts';
import { asUploadError, isTransferProblem } from './upload-error.ts';
import { isUpload } from './wire.ts';

/** One file and where it goes. */
export interface SendOptions extends RetryOptions, Pick<AttemptOptions, 'onAttempt'> {
  http: Http;
  id: string;
  file: FileToSend;
  signal: AbortSignal;
  /** True where the server may know the upload already. */
  isKnown: boolean;
}

/**
 * Sends the bytes in one request under the given id until the server has them. An answer may get lost
 * although the bytes have arrived: the record is looked at before they are sent again. Resolves with
 * undefined where another request has taken the sending over.
 */
export async function sendFile(options: SendOptions): Promise<Upload | undefined> {
  try {
    return await retry(async (failures) => {
      const standing = failures > 0 || options.isKnown ? await readUpload(options) : undefined;
      if (standing && needsNoMoreBytes(standing)) return standing;
      // The server ends a silence, and says so in the record.
      return await runAttempt((signal) => putFile(options, signal), { ...options, silenceMs: Infinity });
    }, options);
  } catch (error) {
    if (asUploadError(error).code === 'upload_superseded') return undefined;
    throw error;
  }
}

function putFile({ http, id, file: { blob, name, options } }: SendOptions, signal: AbortSignal): Promise<Upload> {
  const headers: Record<string, string> = {
    'Content-Type': blob.type || 'application/octet-stream',
    'Content-Disposition': contentDisposition(name),
  };
  const query = options === undefined ? '' : `?options=${encodeURIComponent(JSON.stringify(options))}`;
  return http.request(`/uploads/${id}${query}`, isUpload, { method: 'PUT', headers, body: blob, signal });
}

/** Undefined where the server has never heard of it. */
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

/** True where the server has the bytes, or has ended the upload for a reason that sending again does not mend. */
export function needsNoMoreBytes({ state, error }: Upload): boolean {
  if (state === 'receiving') return false;
  return !(state === 'failed' && error !== null && isTransferProblem(error));
}
