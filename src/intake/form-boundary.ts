import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';

/** The parameter, quoted or a token. */
const BOUNDARY = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/gi;

/** RFC 2046 section 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

/**
 * The boundary between the parts of a form, one and only one: where there are two, whoever looks at the form before us may
 * have gone by the other. Throws `missing_boundary`, or `bad_multipart` for one that cannot be (400).
 */
export function requireBoundary(request: IncomingMessage): string {
  const types = request.headersDistinct['content-type'] ?? [request.headers['content-type'] ?? ''];
  const boundaries = types.flatMap((type) =>
    [...type.matchAll(BOUNDARY)].map(([, quoted, token]) => quoted ?? token ?? ''),
  );
  const [boundary = ''] = boundaries;
  if (boundary === '')
    throw new ServiceError(
      'missing_boundary',
      'The Content-Type of a multipart request names its boundary; this one does not.',
    );
  if (boundaries.length > 1 || types.length > 1)
    throw new ServiceError(
      'bad_multipart',
      'A request has one Content-Type, which names one boundary; this one has more.',
    );
  if (boundary.length > MAX_BOUNDARY_LENGTH)
    throw new ServiceError('bad_multipart', `A boundary has at most ${MAX_BOUNDARY_LENGTH} characters.`);
  return boundary;
}
