import { once } from 'node:events';
import { createServer } from 'node:http';
import { listen } from '../helpers/listen.ts';

/** A server of pages at an origin of its own, like the front end of an application. */
export interface PageServer {
  readonly origin: string;
  /** Adds a document at the path. */
  serve(path: string, type: string, body: string): void;
  stop(): Promise<void>;
}

/** Starts the server, with an empty page at `/`. */
export async function startPageServer(): Promise<PageServer> {
  const documents = new Map([
    ['/', { type: 'text/html', body: '<!doctype html><title>Front end</title><link rel="icon" href="data:,">' }],
  ]);
  const server = createServer((request, response) => {
    const document = documents.get(request.url ?? '');
    response
      .writeHead(document === undefined ? 404 : 200, {
        'Content-Type': `${document?.type ?? 'text/plain'}; charset=utf-8`,
      })
      .end(document?.body);
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    serve: (path, type, body) => void documents.set(path, { type, body }),
    async stop() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
