import formidable from 'formidable';
import { answer, answerFailure } from './answer.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/** formidable to disk with its own SHA-256 and without limits. */
serveUploads(({ directory }) =>
  listen((request, response) => {
    const form = formidable({
      uploadDir: directory,
      hashAlgorithm: 'sha256',
      maxFileSize: Infinity,
      maxTotalFileSize: Infinity,
    });
    form.parse(request).then(
      ([, files]) =>
        answer(
          response,
          201,
          Object.values(files)
            .flatMap((some) => some ?? [])
            .map((file) => file.hash),
        ),
      (error: unknown) => answerFailure(response, error),
    );
  }),
);
