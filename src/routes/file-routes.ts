import type Router from '@koa/router';
import type { Context } from 'koa';
import { ServiceError } from '../errors.ts';
import { attachmentDisposition, sendObject } from '../http/send-object.ts';
import { requireUploadId } from '../http/upload-id.ts';
import type { UploadRecords } from '../progress/record.ts';
import { readExisting, type WatchParts } from '../progress/watch.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';

export interface FileRouteParts extends WatchParts {
  records: UploadRecords;
  storage: Storage;
}

/** The bytes as uploaded. */
export function contentRoutes(router: Router, parts: FileRouteParts): void {
  router.get('/uploads/:id/content', async (ctx: Context) => {
    const id = requireUploadId(ctx['params']['id']);
    const { record } = await readExisting(parts.records, id);
    if (!record.stored || record.sha256 === null) {
      throw new ServiceError('content_not_stored', 'The bytes of this upload are not stored yet.', { id, retryAfterMs: 1000 });
    }
    await sendObject(ctx, parts.storage, {
      key: originalKey(id, record.receipt),
      sizeBytes: record.receivedBytes,
      type: record.type ?? 'application/octet-stream',
      etag: `"${record.sha256}"`,
      cacheControl: 'private, no-cache',
      disposition: attachmentDisposition(record.fileName),
    });
  });
}
