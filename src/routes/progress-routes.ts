import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Progress } from '../wire/documents.ts';
import { ResponseEntity } from '../deferred/response-entity.ts';
import { outcomeStatus, ServiceError, problemOf, type ErrorCode } from '../errors.ts';
import { requestedTimeoutMs } from '../http/deferral.ts';
import { mountedDocument } from '../http/mount-path.ts';
import { RenderedEntity } from '../http/rendered-entity.ts';
import { seenTags } from '../http/entity-tags.ts';
import { RETRY_AFTER_TIMEOUT_MS, retryAfterSeconds } from '../http/problem.ts';
import { queryParameter, requireUploadId, parseVersion } from '../http/parameters.ts';
import { MAX_WATCHED_UPLOADS, watchedUploadsSchema } from '../wire/base-schemas.ts';
import { forLast } from '../record/for-last.ts';
import { unknownUpload } from '../record/read-existing.ts';
import type { ReadRecord, ReadWithResult } from '../record/read-record.ts';
import { presentProgress, toUpload } from '../record/upload-document.ts';
import { watchMany, type WatchedUpload } from '../record/watch-many.ts';
import {
  watchProgress,
  watchUntilFinal,
  type RequestedProgress,
  type ProgressWatchParts,
  type WatchParts,
} from '../record/watch.ts';

/** The parts that the progress routes need. Longer waits are clamped to `maxTimeoutMs`. */
export interface ProgressRouteParts extends WatchParts {
  records: WatchParts['records'] & ProgressWatchParts['records'];
  maxTimeoutMs: number;
  /** The path of the service, with which every link begins. */
  mountPath: string;
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** Adds the routes that wait for the progress or the result of uploads. */
export function progressRoutes(router: Router, parts: ProgressRouteParts): void {
  const progressAnswer = forLast(
    (progress: Progress) => new RenderedEntity(mountedDocument(parts.mountPath, progress), progressHeaders(progress)),
  );
  // Builds the answer for a client that sent `If-None-Match`.
  const conditionalAnswer = (progress: Progress, { seenVersions }: RequestedProgress) =>
    seenVersions.includes(progress.version)
      ? new ResponseEntity({ status: 304, headers: progressHeaders(progress) })
      : progressAnswer(progress);
  router.get('/uploads/:id/progress', async (ctx) => {
    const id = requireUploadId(ctx.params['id']);
    const { seenVersions, isConditional } = requestedVersions(ctx);
    const timeoutMs = requestedTimeoutMs(ctx, parts.maxTimeoutMs);
    const asked = { id, seenVersions, timeoutMs };
    return await (isConditional
      ? watchProgress(parts, asked, conditionalAnswer)
      : watchProgress(parts, asked, progressAnswer));
  });

  router.get('/progress', async (ctx) => {
    ctx.set(NO_STORE);
    const uploads = watchedUploads(ctx);
    const timeoutMs = requestedTimeoutMs(ctx, parts.maxTimeoutMs);
    return await watchMany(
      parts,
      { uploads, timeoutMs },
      (list) => new ResponseEntity({ status: 200, headers: NO_STORE, body: list }),
    );
  });

  router.get('/uploads/:id/result', async (ctx) => {
    const id = requireUploadId(ctx.params['id']);
    const timeoutMs = requestedTimeoutMs(ctx, parts.maxTimeoutMs);
    return await watchUntilFinal(parts, { ids: [id], timeoutMs }, ([read], timedOut) => {
      if (read === undefined) throw unknownUpload(id);
      return timedOut ? stillWorking(read) : resultAnswer(read);
    });
  });
}

/** Reads `since` from the query, otherwise `If-None-Match`. With the header the client accepts a 304. */
function requestedVersions(ctx: Context): { seenVersions: readonly number[]; isConditional: boolean } {
  const since = queryParameter(ctx, 'since');
  if (since !== undefined) return { seenVersions: [parseVersion(since)], isConditional: false };
  // Weak comparison (RFC 9110 section 8.8.3.2): only the version counts.
  const versions = seenTags(ctx.get('If-None-Match')).map((tag) => /^"(\d{1,15})"$/.exec(tag)?.[1]);
  return { seenVersions: versions.filter((version) => version !== undefined).map(Number), isConditional: true };
}

/** Reads `upload=<id>~<version>`. The version is missing if the client has seen none. */
function watchedUploads(ctx: Context): WatchedUpload[] {
  const given = [queryParameter(ctx, 'upload') ?? []].flat();
  if (!watchedUploadsSchema.safeParse(given).success) {
    throw new ServiceError(
      'bad_request',
      `The query has ${given.length} uploads. Send 1 to ${MAX_WATCHED_UPLOADS} as upload=<id>~<version>.`,
    );
  }
  return given.map(watchedUpload);
}

function watchedUpload(text: string): WatchedUpload {
  const [id = '', version, ...rest] = text.split('~');
  try {
    if (rest.length > 0)
      throw new ServiceError('bad_since', 'This is not an upload with a version. Send it as <id>~<version>.');
    return { id: requireUploadId(id), since: version === undefined ? undefined : parseVersion(version) };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { id, since: undefined, error };
  }
}

function progressHeaders({ version }: Progress): Record<string, string> {
  return { ...NO_STORE, ETag: `W/"${version}"` };
}

function stillWorking(read: ReadRecord): ResponseEntity {
  const headers = { ...NO_STORE, 'Retry-After': retryAfterSeconds(RETRY_AFTER_TIMEOUT_MS) };
  return new ResponseEntity({ status: 202, headers, body: { ...presentProgress(read), timedOut: true } });
}

const WITHOUT_RESULT: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  completed: {
    code: 'upload_gone',
    detail: 'The upload was completed, but its result was removed. Send the file with a new id if you still need it.',
  },
  cancelled: {
    code: 'upload_cancelled',
    detail: 'The upload was cancelled. Send the file again if you still need it.',
  },
  discarded: {
    code: 'upload_discarded',
    detail: 'The queue was full, so this upload, the oldest waiting one, was discarded. Send the file again.',
  },
};

function resultAnswer(read: ReadWithResult): ResponseEntity {
  const { record } = read;
  if (record.result !== null) return new ResponseEntity({ status: 200, headers: NO_STORE, body: toUpload(read) });
  const early = WITHOUT_RESULT[record.state];
  const problem = early === undefined ? record.error : problemOf(early.code, early.detail, record.id);
  if (problem === null) throw new Error('a failed upload without its error');
  const status = outcomeStatus(problem.status);
  return new ResponseEntity({
    status,
    headers: { ...NO_STORE, 'Content-Type': 'application/problem+json' },
    body: { ...problem, status, state: record.state, final: true },
  });
}
