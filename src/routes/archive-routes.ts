import type Router from '@koa/router';
import type { Context } from 'koa';
import { finished, Readable } from 'node:stream';
import { archiveFiles, type ArchiveContent, type ArchiveFile } from '../archive/archive-files.ts';
import { uploadArchive, type ArchiveSources } from '../archive/upload-archive.ts';
import { ServiceError } from '../errors.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { attachmentDisposition } from '../http/content-disposition.ts';
import { DownloadPlaces } from '../http/download-places.ts';
import { queryParameter, requireUploadId } from '../http/parameters.ts';
import { spanOf } from '../http/request-scope.ts';
import { readExisting } from '../record/read-existing.ts';
import type { UploadRecords } from '../record/record.ts';
import { tracedReads } from '../storage/traced-storage.ts';
import { archiveContentSchema, MAX_ARCHIVE_UPLOADS } from '../wire/archive-schemas.ts';

/** The parts that the route needs. */
export interface ArchiveRouteParts extends Omit<ArchiveSources, 'records'> {
  records: Pick<UploadRecords, 'read' | 'readProgress'>;
  addressOf: ClientAddress;
  /** All files of one archive may have this size together. */
  maxArchiveBytes: number;
}

/** Maximum number of archives that are sent at once. An archive needs one open file and little memory. */
const PLACES = { max: 100, maxPerAddress: 20 };

const FILE_NAME = 'uploads.zip';

/** Adds the route that sends the files of several uploads as one zip. */
export function archiveRoutes(router: Router, parts: ArchiveRouteParts): void {
  const places = new DownloadPlaces(PLACES);

  router.get('/archive', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const [ids, content] = [requestedUploads(ctx), requestedContent(ctx)];
    const reads = await Promise.all(ids.map((id) => readExisting(parts.records, id)));
    const files = archiveFiles(
      reads.map(({ record }) => record),
      content,
    );
    requireSize(files, parts.maxArchiveBytes);
    const archive = uploadArchive({ ...parts, storage: tracedReads(parts.storage, spanOf(ctx)) }, files);
    ctx.type = 'application/zip';
    ctx.set('Content-Disposition', attachmentDisposition(FILE_NAME));
    if (ctx.method !== 'HEAD') {
      finished(ctx.res, places.enter(parts.addressOf(ctx.req)));
      ctx.body = Readable.from(archive.chunks(), { objectMode: false });
      ctx.type = 'application/zip';
    }
    ctx.status = 200;
    ctx.length = archive.sizeBytes;
  });
}

function requestedUploads(ctx: Context): string[] {
  const given = [queryParameter(ctx, 'upload') ?? []].flat();
  if (given.length === 0 || given.length > MAX_ARCHIVE_UPLOADS)
    throw new ServiceError(
      'bad_request',
      `The query has ${given.length} uploads. Send 1 to ${MAX_ARCHIVE_UPLOADS} as upload=<id>.`,
    );
  // The error names the id, because the request has several.
  return [...new Set(given)].map((id) => requireUploadId(id, { id }));
}

function requestedContent(ctx: Context): ArchiveContent {
  const parsed = archiveContentSchema.safeParse(queryParameter(ctx, 'what') ?? 'original');
  if (parsed.success) return parsed.data;
  const names = archiveContentSchema.options.join(' or ');
  throw new ServiceError('bad_request', `The query parameter "what" must be ${names}, and must appear at most once.`);
}

function requireSize(files: readonly ArchiveFile[], maxBytes: number): void {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes <= maxBytes) return;
  throw new ServiceError(
    'archive_too_large',
    `The files have ${bytes} bytes. An archive may have ${maxBytes}. Request fewer uploads at a time.`,
  );
}
