import type { Context } from 'koa';

/** One entity tag of a list; the group leaves out the `W/` of a weak one (RFC 9110 section 8.8.3). */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Proxies that compress an answer add the coding to its tag, for example `"7-gzip"`. */
const CODING_SUFFIX = /(?:--?|[;:/])(?:gzip|br|zstd|deflate)"$/;

/**
 * True if `If-None-Match` is `*` or contains the tag, by weak comparison (RFC 9110 section 13.1.2). `Cache-Control` of
 * the request is ignored, because `fetch` of a browser adds `no-cache` on its own.
 */
export function hasSeen(ctx: Context, etag: string): boolean {
  const header = ctx.get('If-None-Match');
  if (header === '') return false;
  return header.trim() === '*' || seenTags(header).includes(etag.replace(/^W\//, ''));
}

/**
 * False if `If-Match` contains other tags only, by strong comparison (RFC 9110 section 13.1.1): the answer is 412 then.
 */
export function isWanted(ctx: Context, etag: string): boolean {
  const header = ctx.get('If-Match').trim();
  return header === '' || header === '*' || strongTags(header).includes(etag);
}

/** Returns the tags of a list. Weak tags keep their `W/`, so they match no strong tag. */
function strongTags(header: string): string[] {
  return [...header.matchAll(TAG)].map(([tag]) => tag);
}

/** Returns the quoted tags of an `If-None-Match`, in order. Tags with a proxy's suffix appear with and without it. */
export function seenTags(header: string): string[] {
  return [...header.matchAll(TAG)].flatMap(([, tag = '']) =>
    CODING_SUFFIX.test(tag) ? [tag, tag.replace(CODING_SUFFIX, '"')] : [tag],
  );
}
