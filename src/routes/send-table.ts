import type { Context } from 'koa';
import { Readable } from 'node:stream';
import { ServiceError } from '../errors.ts';
import { attachmentDisposition } from '../http/content-disposition.ts';
import { hasSeen, isWanted } from '../http/entity-tags.ts';
import type { Storage } from '../storage/storage.ts';
import type { TableExport } from '../tables/table-export.ts';

/**
 * Answers with the rows of a table in another form, made from the stored ones. Supports conditional requests but no
 * ranges, because the size is not known. `begin` is called before anything is read.
 */
export async function sendTable(
  ctx: Context,
  storage: Pick<Storage, 'read'>,
  table: TableExport & { name: string },
  begin: () => void,
): Promise<void> {
  ctx.set({ ETag: table.etag, 'Cache-Control': 'public, max-age=31536000, immutable' });
  ctx.set('Content-Disposition', attachmentDisposition(table.name));
  if (!isWanted(ctx, table.etag))
    throw new ServiceError(
      'precondition_failed',
      'The file has another ETag than If-Match. Request it without If-Match.',
    );
  if (hasSeen(ctx, table.etag)) {
    ctx.status = 304;
    return;
  }
  const chunks = table.write(readLines(storage, table.source.key));
  if (ctx.method !== 'HEAD') {
    begin();
    ctx.body = Readable.from(chunks, { objectMode: false });
  }
  ctx.status = 200;
  ctx.type = table.type;
}

async function* readLines(storage: Pick<Storage, 'read'>, key: string): AsyncGenerator<Buffer, void, void> {
  const stream = await storage.read(key);
  if (stream === undefined) throw new Error('the rows of the table are not stored any more');
  yield* stream as AsyncIterable<Buffer>;
}
