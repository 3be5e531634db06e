import { open } from 'node:fs/promises';
import formidable from 'formidable';
import { answer, answerFailure } from './answer.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/**
 * Serves uploads by formidable, to disk, with its own SHA-256 and without limits. With `SYNC=on` it syncs files and
 * folder before each answer, as the service does.
 */
serveUploads(({ directory, settings }) =>
  listen((request, response) => {
    const form = formidable({
      uploadDir: directory,
      hashAlgorithm: 'sha256',
      maxFileSize: Infinity,
      maxTotalFileSize: Infinity,
    });
    form.parse(request).then(
      async ([, files]) => {
        const received = Object.values(files).flatMap((some) => some ?? []);
        if (settings['SYNC'] === 'on') await syncAll([...received.map(({ filepath }) => filepath), directory]);
        answer(
          response,
          201,
          received.map((file) => file.hash),
        );
      },
      (error: unknown) => answerFailure(response, error),
    );
  }),
);

async function syncAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const file = await open(path);
    await file.datasync();
    await file.close();
  }
}
