import type { Context } from 'koa';
import { Readable } from 'node:stream';
import { answersWithoutBody } from '../http/conditional-request.ts';
import { attachmentDisposition } from '../http/content-disposition.ts';
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
  if (answersWithoutBody(ctx, table.etag)) return;
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
