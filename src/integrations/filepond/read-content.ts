import { errorOf, parse } from '../../client/http.ts';
import { clientError, UploadError } from '../../client/upload-error.ts';

/**
 * Reads the body of a 2xx answer. `onBytes` is called with the number of bytes so far. Everything else rejects with an
 * UploadError, with the code `aborted` after the signal, or `connection_lost` if no complete answer arrived.
 */
export async function readContent(
  fetch: typeof globalThis.fetch,
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
  onBytes: (loadedBytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>[]> {
  try {
    const response = await fetch(url, init);
    if (!response.ok) throw errorOf(response, parse(await response.text()));
    return response.body === null ? [] : await readAll(response.body, onBytes);
  } catch (error) {
    if (error instanceof UploadError) throw error;
    throw clientError(init.signal.aborted ? 'aborted' : 'connection_lost', error);
  }
}

async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onBytes: (loadedBytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = body.getReader();
  let loadedBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(value);
    loadedBytes += value.byteLength;
    onBytes(loadedBytes);
  }
}
