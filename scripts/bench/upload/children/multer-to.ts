import type { IncomingMessage, ServerResponse } from 'node:http';
import multer from 'multer';

/** A middleware in the form of Express that does not need Express. */
type Handler = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** Makes multer write to disk, for plain requests: any number of files under any name. */
export function multerTo(directory: string): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  // The types of multer require requests of Express, but it uses only members that every request has.
  const handle = multer({ dest: directory }).any() as unknown as Handler;
  return (request, response) =>
    new Promise((resolve, reject) => {
      handle(request, response, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error instanceof Error ? error : new Error('multer failed', { cause: error }));
      });
    });
}
