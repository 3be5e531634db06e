import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { answerFailure } from './answer.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/** The store of @tus/server, with a sync before each answer. */
class SyncedFileStore extends FileStore {
  override async write(readable: Readable, id: string, offset: number): Promise<number> {
    const newOffset = await super.write(readable, id, offset);
    const file = await open(join(this.directory, id), 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    return newOffset;
  }
}

/** @tus/server with its own store of files, which has no hash and syncs nothing. */
serveUploads(({ directory, settings }) => {
  const Store = settings['SYNC'] === 'on' ? SyncedFileStore : FileStore;
  const server = new Server({ path: '/files', datastore: new Store({ directory }) });
  return listen((request, response) => {
    server.handle(request, response).catch((error: unknown) => answerFailure(response, error));
  });
});
