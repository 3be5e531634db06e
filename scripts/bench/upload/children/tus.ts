import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { answerFailure } from './answer.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/** @tus/server with its own store of files, which has no hash. */
serveUploads(({ directory }) => {
  const server = new Server({ path: '/files', datastore: new FileStore({ directory }) });
  return listen((request, response) => {
    server.handle(request, response).catch((error: unknown) => answerFailure(response, error));
  });
});
