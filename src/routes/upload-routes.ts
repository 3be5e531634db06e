import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Callers } from '../access/callers.ts';
import type { Upload } from '../wire/documents.ts';
import { ResponseEntity } from '../deferred/response-entity.ts';
import { ServiceError } from '../errors.ts';
import { checkExistence } from '../http/conditional-request.ts';
import { requestedTimeoutMs } from '../http/deferral.ts';
import { dispositionFileName } from '../http/content-disposition.ts';
import { sentDigests } from '../http/digest-fields.ts';
import { queryParameter, requireUploadId } from '../http/parameters.ts';
import { openScope, spanOf, withCaller, type ScopeParts } from '../http/request-scope.ts';
import { EarlyWatch } from '../record/early-watch.ts';
import { completeRead, hasUpload, readExistingWithResult } from '../record/read-existing.ts';
import { watchStoredUntilFinal, type RequestedStored, type WatchParts } from '../record/watch.ts';
import { asSeen, type ReadWithResult } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { toUpload } from '../record/upload-document.ts';
import { cleanFileName } from '../intake/file-name.ts';
import { METADATA_FIELD, withMetadata } from '../intake/metadata.ts';
import { readOptionsJson } from '../intake/options.ts';
import { readReceived, type ReceivedUpload } from '../intake/read-received.ts';
import type { UploadIntake } from '../intake/intake.ts';
import { createImport, isJson } from './import-request.ts';
import type { ImportIntake } from '../roads/import/import-intake.ts';
import { refusePartOfFile } from '../intake/parts-hint.ts';
import type { ReceiveHooks } from '../intake/small-upload.ts';
import type { UploadRemoval } from '../intake/removal.ts';
import type { Span } from '../telemetry/tracing.ts';

/** The parts that the upload routes need. Longer waits are clamped to `maxTimeoutMs`. */
export interface UploadRouteParts extends WatchParts, ScopeParts {
  callers: Pick<Callers, 'ofCreation' | 'ofCreationOrRetry'>;
  intake: UploadIntake;
  imports: Pick<ImportIntake, 'create'>;
  roadsOf: (span: Span) => { removal: UploadRemoval };
  records: UploadRecords;
  maxTimeoutMs: number;
}

/** Adds the routes to send, read, cancel and delete uploads. */
export function uploadRoutes(router: Router, parts: UploadRouteParts): void {
  router.post('/uploads', async (ctx) => {
    const timeoutMs = requestedTimeoutMs(ctx, parts.maxTimeoutMs);
    requireWholeFiles(ctx);
    const scope = openScope(ctx, parts);
    const caller = await parts.callers.ofCreation(ctx);
    await withEarlyWatch(parts, timeoutMs, async (wait) => {
      const received = isJson(ctx)
        ? [await createImport(ctx, parts, scope, caller)]
        : await parts.intake.receiveForm(withCaller(scope, caller), ctx.req, wait);
      const [first] = received;
      if (received.length === 1 && first !== undefined) ctx.set('Location', `/uploads/${first.id}`);
      await answer(ctx, parts, received, wait, (uploads) => ({ uploads }));
    });
  });

  router.put('/uploads/:id', async (ctx) => {
    const id = requireUploadId(ctx.params['id']);
    const timeoutMs = requestedTimeoutMs(ctx, parts.maxTimeoutMs);
    requireWholeFiles(ctx);
    const fileName = cleanFileName(dispositionFileName(ctx.get('Content-Disposition')) ?? '');
    const head = { id, fileName, options: optionsOf(ctx), digests: sentDigests(ctx.req.headers) };
    const scope = openScope(ctx, parts);
    const sender = await parts.callers.ofCreationOrRetry(ctx);
    await checkExistence(ctx, () => hasUpload(parts.records, id));
    const caller = withMetadata(sender, queryParameter(ctx, METADATA_FIELD), 'The query parameter "metadata"');
    await withEarlyWatch(parts, timeoutMs, async (wait) => {
      const received = await parts.intake.receiveRaw(withCaller(scope, caller), ctx.req, { ...head, ...wait });
      ctx.set('Location', `/uploads/${id}`);
      await answer(ctx, parts, [received], wait, ([upload]) => upload);
    });
  });

  router.get('/uploads/:id', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = toUpload(await readExistingWithResult(parts.records, requireUploadId(ctx.params['id'])));
  });

  router.post('/uploads/:id/cancel', async (ctx) => {
    const { record, stopped } = await parts.roadsOf(spanOf(ctx)).removal.cancel(requireUploadId(ctx.params['id']));
    ctx.status = stopped ? 202 : 200;
    ctx.body = toUpload(await completeRead(parts.records, asSeen(record)));
  });

  router.delete('/uploads/:id', async (ctx) => {
    await parts.roadsOf(spanOf(ctx)).removal.delete(requireUploadId(ctx.params['id']));
    ctx.status = 204;
  });
}

/** How an answer waits. Without `timeoutMs` it does not. */
interface AnswerWait extends ReceiveHooks, Pick<RequestedStored, 'isCurrent'> {
  timeoutMs: number | undefined;
}

/** Follows the upload of the request from before it is queued, if the answer waits for its end. */
async function withEarlyWatch(
  { registry }: WatchParts,
  timeoutMs: number | undefined,
  work: (wait: AnswerWait) => Promise<void>,
): Promise<void> {
  if (timeoutMs === undefined) return await work({ timeoutMs });
  const early = new EarlyWatch(registry);
  try {
    await work({ timeoutMs, beforeQueued: (id) => early.begin(id), isCurrent: (ids) => early.isCurrent(ids) });
  } finally {
    early.release();
  }
}

/**
 * Answers 202 immediately. If the client asked to wait, answers 200 when all uploads are final, including failed ones.
 * The uploads are stored and queued, so this never answers with an error.
 */
async function answer(
  ctx: Context,
  parts: UploadRouteParts,
  received: readonly ReceivedUpload[],
  { timeoutMs, isCurrent = () => false }: AnswerWait,
  shape: (uploads: readonly Upload[]) => unknown,
): Promise<void> {
  const headers = { 'Cache-Control': 'no-store' };
  if (timeoutMs === undefined) {
    const reads = await Promise.all(received.map((upload) => readReceived(parts.records, upload)));
    ctx.set(headers);
    ctx.status = 202;
    ctx.body = shape(toUploads(reads));
    return;
  }
  let isHeld = true;
  const notHeld = (): void => {
    isHeld = false;
    ctx.remove('Preference-Applied');
  };
  const ids = received.map(({ id }) => id);
  const known = received.map((upload) => upload.known);
  const asked = { ids, timeoutMs, known, notHeld, isCurrent };
  ctx.body = await watchStoredUntilFinal(parts, asked, (reads, timedOut) => {
    const body = shape(toUploads(reads, timedOut && isHeld));
    return new ResponseEntity({ status: timedOut ? 202 : 200, headers, body });
  });
}

function toUploads(reads: readonly ReadWithResult[], timedOut = false): Upload[] {
  return reads.map((read) => toUpload(read, timedOut));
}

/** Throws for a part of a file: some clients send the numbers of parts in the query. */
function requireWholeFiles(ctx: Context): void {
  for (const [name, value] of new URLSearchParams(ctx.querystring)) refusePartOfFile(name, value);
}

/** Returns the options in the query, because a raw body has no form fields. Undefined if there are none. */
function optionsOf(ctx: Context): unknown {
  const options = queryParameter(ctx, 'options');
  if (options === undefined) return undefined;
  if (typeof options === 'string') return readOptionsJson(options, 'The query parameter "options"');
  throw new ServiceError('bad_options', 'The query parameter "options" appears more than once. Send it once.');
}
