import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';

/**
 * The chunks of a raw request body. Ends normally only when the body is whole. Throws
 * `upload_interrupted` where the client went away, and the signal's reason when that fires;
 * the request itself is left open then, so that an answer can still be sent.
 */
export async function* readBody(request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await orAborted(chunks.next(), signal).catch((error: unknown) => {
        if (signal.aborted) throw error;
        throw new ServiceError('upload_interrupted', 'The connection broke before the upload was complete. Send it again.', { cause: error });
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Lets go of the request, so that what is left of its body can flow off. Not awaited: it waits for a read under way.
    void chunks.return?.();
  }
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
