import { ResponseEntity } from './response-entity.ts';

/**
 * Frees a value that is not sent: destroys a stream, or the stream of a `ResponseEntity`. Other values are ignored.
 * Never throws.
 */
export function discard(value: unknown): void {
  const body: unknown = value instanceof ResponseEntity ? value.body : value;
  if (isNodeStream(body)) {
    // A stream that is destroyed early may emit an error that nobody needs.
    body.on('error', ignore);
    body.destroy();
  } else if (body instanceof ReadableStream && !body.locked) {
    body.cancel().catch(ignore);
  }
}

interface DestroyableStream {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

function isNodeStream(value: unknown): value is DestroyableStream {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pipe' in value &&
    typeof value.pipe === 'function' &&
    'destroy' in value &&
    typeof value.destroy === 'function' &&
    'on' in value &&
    typeof value.on === 'function'
  );
}

function ignore(): void {}
