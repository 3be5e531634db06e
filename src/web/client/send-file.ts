import type { Upload } from '../../api.ts';
import { contentDisposition } from './content-disposition.ts';
import type { Http } from './http.ts';
import { persist, type PersistOptions } from './persist.ts';
import { asUploadError, isTransferProblem } from './upload-error.ts';
import { isUpload } from './wire.ts';

/** One file and where it goes. */
export interface SendFileOptions extends PersistOptions {
  http: Http;
  id: string;
  file: Blob;
  name: string;
  signal: AbortSignal;
  /** Called before each attempt. */
  onAttempt: () => void;
}

/**
 * Sends the bytes under the given id until the server has them. An answer may get lost although
 * the bytes have arrived: the record is looked at before they are sent again. Resolves with
 * undefined where another request has taken the sending over.
 */
export async function sendFile(options: SendFileOptions): Promise<Upload | undefined> {
  try {
    return await persist(async (failures) => {
      const standing = failures === 0 ? undefined : await readUpload(options);
      if (standing && needsNoMoreBytes(standing)) return standing;
      options.onAttempt();
      return await putFile(options);
    }, options);
  } catch (error) {
    if (asUploadError(error).code === 'upload_superseded') return undefined;
    throw error;
  }
}

function putFile({ http, id, file, name, signal }: SendFileOptions): Promise<Upload> {
  const headers: Record<string, string> = {
    'Content-Type': file.type || 'application/octet-stream',
    'Content-Disposition': contentDisposition(name),
  };
  return http.request(`/uploads/${id}`, isUpload, { method: 'PUT', headers, body: file, signal });
}

/** Undefined where the server has never heard of it. */
async function readUpload({ http, id, signal }: SendFileOptions): Promise<Upload | undefined> {
  try {
    return await http.request(`/uploads/${id}`, isUpload, { signal });
  } catch (error) {
    if (asUploadError(error).code === 'unknown_upload') return undefined;
    throw error;
  }
}

function needsNoMoreBytes({ state, error }: Upload): boolean {
  if (state === 'receiving') return false;
  return !(state === 'failed' && error !== null && isTransferProblem(error));
}
