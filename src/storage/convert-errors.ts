import type { Readable } from 'node:stream';

/**
 * Makes a stream fail with the error that `convert` returns for its own one. Its chunks are not copied, as a second
 * stream would do.
 */
export function convertErrors<Stream extends Readable>(stream: Stream, convert: (error: unknown) => unknown): Stream {
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, done) => destroy(error, (failure) => done(asError(convert(failure ?? error))));
  return stream;
}

function asError(error: unknown): Error | null {
  return error instanceof Error ? error : null;
}
