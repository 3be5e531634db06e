import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { answer, answerFailure } from './answer.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/** Serves uploads by busboy as in its manual: each file is piped to disk and hashed. */
serveUploads(({ directory }) =>
  listen((request, response) => {
    receive(request, directory).then(
      (digests) => answer(response, 201, digests),
      (error: unknown) => answerFailure(response, error),
    );
  }),
);

async function receive(request: IncomingMessage, directory: string): Promise<string[]> {
  const parser = busboy({ headers: request.headers });
  const files: Promise<string>[] = [];
  parser.on('file', (_name, stream) => files.push(store(stream, join(directory, randomUUID()))));
  await pipeline(request, parser);
  return await Promise.all(files);
}

async function store(stream: Readable, path: string): Promise<string> {
  const hash = createHash('sha256');
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await pipeline(stream, createWriteStream(path));
  return hash.digest('hex');
}
