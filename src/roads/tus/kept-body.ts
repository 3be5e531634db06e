import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../errors.ts';
import { readBody } from '../../intake/body.ts';

/** Returns the chunks of a body. They end with the reason of the signal when it fires. */
export type BodyChunks = (rejected: AbortSignal) => AsyncIterable<Buffer>;

/** Options for reading a body whose received bytes are kept. */
interface KeptBody {
  /** A signal that ends the body early, for example because the client stalls. */
  ended: AbortSignal;
  /** A signal that ends the body with its reason, because nobody needs the bytes any more. */
  rejected: AbortSignal;
  /** Maximum number of bytes. More bytes throw the error of `tooLong`. */
  mostBytes: number;
  tooLong: () => Error;
  /** Called if the body was not complete. */
  onBroken: (reason: unknown) => void;
}

/**
 * Reads a body. It ends early, without an error, if the body breaks or `ended` fires: the received bytes are stored.
 */
export async function* keptBody(request: IncomingMessage, kept: KeptBody): AsyncGenerator<Buffer> {
  const { ended, rejected, mostBytes, tooLong, onBroken } = kept;
  const chunks = readBody(request, AbortSignal.any([ended, rejected]));
  let bytes = 0;
  try {
    for (;;) {
      const next = await chunks.next();
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > mostBytes) break;
      yield next.value;
    }
  } catch (error) {
    rejected.throwIfAborted();
    onBroken(error);
    return;
  } finally {
    await chunks.return();
  }
  throw tooLong();
}

/** Returns why a body broke, for the log: its code if the error has one, otherwise its text. */
export function reasonOf(error: unknown): string {
  return error instanceof ServiceError ? error.code : String(error);
}
