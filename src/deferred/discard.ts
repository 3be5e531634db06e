import { ResponseEntity } from './response-entity.ts';

/**
 * Frees what nobody will read: a stream, or a `ResponseEntity` with one, that lost the race for a
 * response. Anything else holds nothing and is left alone. Never throws.
 */
export function discard(value: unknown): void {
  const body: unknown = value instanceof ResponseEntity ? value.body : value;
  if (isNodeStream(body)) {
    // A stream that is torn down early may still report its open file; nobody is left to care.
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
