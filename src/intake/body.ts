import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { sendContinue } from '../http/expect-continue.ts';
import { StreamChunks } from './stream-chunks.ts';

/**
 * The chunks of a raw request body, whose sender is told to go on with the first `next`. Ends normally only when
 * the body is whole. Throws `upload_interrupted` where the client went away, and the signal's reason when that
 * fires; the request itself is left open then, so that an answer can still be sent.
 */
export function readBody(request: IncomingMessage, signal: AbortSignal): StreamChunks {
  const interrupted = (cause: unknown) =>
    new ServiceError('upload_interrupted', 'The connection broke before the upload was complete. Send it again.', {
      cause,
    });
  return new StreamChunks(request, interrupted, signal, () => sendContinue(request));
}
