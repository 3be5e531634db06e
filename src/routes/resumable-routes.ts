import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Callers } from '../access/callers.ts';
import { ServiceError } from '../errors.ts';
import { clientGone } from '../http/client-gone.ts';
import { dispositionFileName } from '../http/content-disposition.ts';
import { allowedMethods } from '../http/method-not-allowed.ts';
import { requireUploadId } from '../http/parameters.ts';
import { openScope, spanOf, withCaller, type ScopeParts } from '../http/request-scope.ts';
import type { UploadMetadata } from '../record/record-fields.ts';
import { readExistingWithResult } from '../record/read-existing.ts';
import { toUpload } from '../record/upload-document.ts';
import type { UploadRecords } from '../record/record.ts';
import { sendResumptionSupported } from '../roads/resumable/interim-response.ts';
import {
  RESUMABLE_PATH,
  type ResumableAnswer,
  type ResumableEndpoint,
  type ResumableRequest,
} from '../roads/resumable/resumable-endpoint.ts';
import { PARTIAL_UPLOAD } from '../roads/resumable/upload-fields.ts';
import type { Span } from '../telemetry/tracing.ts';

/** The parts that the routes of resumable uploads of the IETF need. */
export interface ResumableRouteParts extends ScopeParts {
  callers: Pick<Callers, 'ofCreation'>;
  records: UploadRecords;
  /** `resumable` is undefined if they are off. */
  roadsOf: (span: Span) => { resumable: ResumableEndpoint | undefined };
}

/** Adds the routes of resumable uploads (draft-ietf-httpbis-resumable-upload). */
export function resumableRoutes(router: Router, parts: ResumableRouteParts): void {
  const answer = async (ctx: Context, status: number, { completed, headers }: ResumableAnswer) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.status = completed === undefined ? status : 202;
    if (completed !== undefined) ctx.body = toUpload(await readExistingWithResult(parts.records, completed));
    else {
      ctx.body = status === 204 ? null : '';
      ctx.remove('Content-Type');
    }
    ctx.set(headers);
  };

  router.options(RESUMABLE_PATH, (ctx) => {
    ctx.set({
      Allow: allowedMethods(ctx) ?? '',
      'Accept-Patch': PARTIAL_UPLOAD,
      'Upload-Limit': offered(ctx, parts).limit,
    });
    ctx.status = 204;
  });

  router.post(RESUMABLE_PATH, async (ctx) => {
    const endpoint = offered(ctx, parts);
    const asked = requestOf(ctx, parts);
    const scope = withCaller(asked.scope, await parts.callers.ofCreation(ctx));
    const onCreated = (fields: Record<string, string>) => sendResumptionSupported(ctx.req, ctx.res, fields);
    await answer(ctx, 201, await endpoint.create({ ...asked, scope }, metadataOf(ctx), onCreated));
  });

  router.head(`${RESUMABLE_PATH}/:id`, async (ctx) => {
    const endpoint = offered(ctx, parts);
    const headers = await endpoint.offset(requestOf(ctx, parts), requireUploadId(ctx.params['id']));
    await answer(ctx, 204, { completed: undefined, headers });
  });

  router.patch(`${RESUMABLE_PATH}/:id`, async (ctx) => {
    const endpoint = offered(ctx, parts);
    await answer(ctx, 204, await endpoint.append(requestOf(ctx, parts), requireUploadId(ctx.params['id'])));
  });

  router.delete(`${RESUMABLE_PATH}/:id`, async (ctx) => {
    await offered(ctx, parts).cancel(requireUploadId(ctx.params['id']));
    ctx.status = 204;
  });
}

function offered(ctx: Context, { roadsOf }: ResumableRouteParts): ResumableEndpoint {
  const { resumable } = roadsOf(spanOf(ctx));
  if (resumable !== undefined) return resumable;
  throw new ServiceError(
    'no_resumable_uploads',
    'This service does not offer resumable uploads of the IETF. Use tus at /files, or PUT /uploads/{id}.',
  );
}

function requestOf(ctx: Context, parts: ScopeParts): ResumableRequest {
  return { scope: openScope(ctx, parts), request: ctx.req, gone: clientGone(ctx) };
}

function metadataOf(ctx: Context): UploadMetadata {
  const filename = dispositionFileName(ctx.get('Content-Disposition'));
  return filename === undefined ? {} : { filename };
}
