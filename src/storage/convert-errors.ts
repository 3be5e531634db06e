import type { Readable } from 'node:stream';

/** Converts the errors of a stream. Returns the same stream, because a second one would copy the chunks. */
export function convertErrors<Stream extends Readable>(stream: Stream, convert: (error: unknown) => unknown): Stream {
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, done) => destroy(error, (failure) => done(asError(convert(failure ?? error))));
  return stream;
}

function asError(error: unknown): Error | null {
  return error instanceof Error ? error : null;
}
