import type { Context } from 'koa';

/** One entity tag of a list, its weakness left out (RFC 9110 section 8.8.3). */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * True when `If-None-Match` names the tag, by weak comparison, or is `*` (RFC 9110 section 13.1.2). What
 * the request says of caches does not matter here: browsers' fetch adds `no-cache` by itself.
 */
export function hasSeen(ctx: Context, etag: string): boolean {
  const header = ctx.get('If-None-Match');
  if (header === '') return false;
  return header.trim() === '*' || seenTags(header).includes(etag.replace(/^W\//, ''));
}

/** False when `If-Match` names other tags than this one, by strong comparison (RFC 9110 section 13.1.1), so that nothing is to be sent. */
export function isWanted(ctx: Context, etag: string): boolean {
  const header = ctx.get('If-Match').trim();
  return header === '' || header === '*' || strongTags(header).includes(etag);
}

/** A weak one matches nothing. */
function strongTags(header: string): string[] {
  return [...header.matchAll(TAG)].map(([tag]) => tag);
}

/** The quoted tags of an `If-None-Match`, in order. */
export function seenTags(header: string): string[] {
  return [...header.matchAll(TAG)].map((found) => found[1] ?? '');
}
