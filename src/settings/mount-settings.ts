import { z } from 'zod';

/** Segments that mean the same in every framework, router and proxy. */
const SEGMENTS = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*$/;

/** The path below which the service is reached. The URLs in its answers contain it. */
export const MOUNTING = {
  MOUNT_PATH: z
    .string()
    .transform(normalised)
    .refine(
      (path) => SEGMENTS.test(path),
      'must be a path such as /media, of letters, digits, - . _ or ~ between single slashes, without segments . and ..',
    )
    .prefault('')
    .describe(
      'Path below which clients reach the service, such as /media. All URLs in its answers begin with it. Requests ' +
        'may arrive with this path or, from a proxy that removes it, without it.',
    ),
};

/** Adds a slash at the beginning and removes those at the end. `/` is the root, as the empty string. */
function normalised(path: string): string {
  const begun = path === '' || path.startsWith('/') ? path : `/${path}`;
  return begun.replace(/(?<!\/)\/+$/, '');
}
