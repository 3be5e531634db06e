import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Callers } from '../access/callers.ts';
import { ServiceError } from '../errors.ts';
import { queryParameter, requireUploadId } from '../http/parameters.ts';
import { openScope, spanOf, withCaller, type ScopeParts } from '../http/request-scope.ts';
import { readJsonBody } from '../intake/json-body.ts';
import { METADATA_FIELD, withMetadata } from '../intake/metadata.ts';
import { toUpload } from '../record/upload-document.ts';
import type { DirectUploads } from '../roads/direct/direct-uploads.ts';
import type { SignedPart } from '../storage/direct-parts.ts';
import type { Span } from '../telemetry/tracing.ts';
import { completeRequestSchema, directRequestSchema, MOST_PARTS } from '../wire/direct-schemas.ts';
import type { DirectPart, DirectUploadDocument } from '../wire/documents.ts';
import { parseBody } from '../wire/parse-body.ts';

/** The parts that the routes of direct uploads need. */
export interface DirectRouteParts extends ScopeParts {
  callers: Pick<Callers, 'ofCreation'>;
  roadsOf: (span: Span) => { direct: Pick<DirectUploads, 'requireBucket' | 'create' | 'sign' | 'stored' | 'complete'> };
}

/** Maximum number of addresses in one answer. Signing an address takes about a millisecond. */
const MOST_AT_ONCE = 100;

/** Maximum size of a body. A list of 10,000 parts with their ETags fits. */
const MOST_COMPLETE_BYTES = 1_048_576;

/** Adds the routes of uploads whose parts the client puts into the bucket. */
export function directRoutes(router: Router, parts: DirectRouteParts): void {
  // Without a bucket every request gets 501, also one whose body or query is wrong.
  const directOf = (ctx: Context) => {
    const { direct } = parts.roadsOf(spanOf(ctx));
    direct.requireBucket();
    return direct;
  };

  router.post('/uploads/direct', async (ctx) => {
    const direct = directOf(ctx);
    const scope = openScope(ctx, parts);
    const sender = await parts.callers.ofCreation(ctx);
    const caller = withMetadata(sender, queryParameter(ctx, METADATA_FIELD), 'The query parameter "metadata"');
    const request = parseBody(directRequestSchema, await readJsonBody(ctx.req));
    const begun = await direct.create(withCaller(scope, caller), request);
    const upload = toUpload(begun.read);
    const body: DirectUploadDocument = { upload, partSize: begun.partBytes, parts: begun.parts.map(toPart) };
    answer(ctx, 201, body);
    ctx.set('Location', `/uploads/${upload.id}`);
  });

  router.get('/uploads/:id/direct/parts', async (ctx) => {
    const direct = directOf(ctx);
    const id = requireUploadId(ctx.params['id']);
    const from = numberOf(ctx, 'from', MOST_PARTS);
    const count = numberOf(ctx, 'count', MOST_AT_ONCE);
    answer(ctx, 200, { parts: (await direct.sign(id, from, count)).map(toPart) });
  });

  router.get('/uploads/:id/direct/stored', async (ctx) => {
    const direct = directOf(ctx);
    const stored = await direct.stored(requireUploadId(ctx.params['id']));
    const { partBytes: partSize } = stored;
    answer(ctx, 200, {
      partSize,
      parts: stored.parts.map(({ number, sizeBytes: size, etag }) => ({ number, size, etag })),
    });
  });

  router.post('/uploads/:id/direct/complete', async (ctx) => {
    const direct = directOf(ctx);
    const id = requireUploadId(ctx.params['id']);
    const scope = openScope(ctx, parts);
    const request = parseBody(completeRequestSchema, await readJsonBody(ctx.req, MOST_COMPLETE_BYTES));
    answer(ctx, 202, toUpload(await direct.complete(scope, id, request)));
  });
}

function answer(ctx: Context, status: number, body: unknown): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.status = status;
  ctx.body = body;
}

function toPart({ number, url, headers, expiresAt }: SignedPart): DirectPart {
  return { number, url, headers, expiresAt: expiresAt.toISOString() };
}

/** Undefined if the parameter is missing. Throws `bad_request` (400) unless it is a number from 1 to `most`. */
function numberOf(ctx: Context, name: string, most: number): number | undefined {
  const text = queryParameter(ctx, name);
  if (text === undefined) return undefined;
  const number = typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new ServiceError('bad_request', `${name} must appear once and be a number from 1 to ${most}.`);
}
