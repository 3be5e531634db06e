import type { Context } from 'koa';
import { ServiceError, type ErrorCode } from '../errors.ts';
import { answersWithoutBody } from './conditional-request.ts';
import type { ByteRange, Storage } from '../storage/storage.ts';

/** A stored object as an HTTP representation. */
export interface ServedObject {
  key: string;
  sizeBytes: number;
  type: string;
  /** The entity tag, strong and quoted. */
  etag: string;
  cacheControl: string;
  /** The error if the object no longer exists. */
  missing: ErrorCode;
  /** The whole `Content-Disposition`. Without it browsers show the object. */
  disposition?: string;
}

/**
 * Answers with an object. Supports conditional requests, one byte range and `If-Range` (RFC 9110 sections 13 and 14).
 * Throws `precondition_failed` (412), `range_not_satisfiable` (416), and the error in `missing`.
 */
export async function sendObject(ctx: Context, storage: Pick<Storage, 'read'>, object: ServedObject): Promise<void> {
  ctx.set({ ETag: object.etag, 'Cache-Control': object.cacheControl, 'Accept-Ranges': 'bytes' });
  if (object.disposition !== undefined) ctx.set('Content-Disposition', object.disposition);
  if (answersWithoutBody(ctx, object.etag)) return;
  ctx.status = 200;
  const range = requestedRange(ctx, object);
  ctx.type = object.type;
  if (range !== undefined) {
    ctx.status = 206;
    ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${object.sizeBytes}`);
  }
  const length = range === undefined ? object.sizeBytes : range.end - range.start + 1;
  if (ctx.method === 'HEAD') {
    ctx.length = length;
    return;
  }
  const stream = await storage.read(object.key, range);
  if (stream === undefined)
    throw new ServiceError(object.missing, 'The file was removed. Send it again if you still need it.');
  ctx.body = stream;
  ctx.type = object.type;
  ctx.length = length;
}

/**
 * Returns the range to send. Undefined means the whole object: if the method is not GET (RFC 9110 section 14.2), if
 * there is not exactly one range in bytes, or if `If-Range` has another tag.
 */
function requestedRange(ctx: Context, object: ServedObject): ByteRange | undefined {
  if (ctx.method !== 'GET') return undefined;
  const found = /^bytes=(\d*)-(\d*)$/.exec(ctx.get('Range').trim());
  if (found === null || (found[1] === '' && found[2] === '')) return undefined;
  const ifRange = ctx.get('If-Range');
  if (ifRange !== '' && ifRange !== object.etag) return undefined;
  const range = resolveRange(found[1] ?? '', found[2] ?? '', object.sizeBytes);
  if (range !== undefined) return range;
  throw new ServiceError(
    'range_not_satisfiable',
    `The range is outside the file. Request a range within its ${object.sizeBytes} bytes.`,
    { headers: { 'Content-Range': `bytes */${object.sizeBytes}` } },
  );
}

function resolveRange(first: string, last: string, sizeBytes: number): ByteRange | undefined {
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return start <= end && start < sizeBytes ? { start, end } : undefined;
}
