import { answer, answerFailure } from './answer.ts';
import { multerTo } from './multer-to.ts';
import { listen, serveUploads } from './serve-uploads.ts';

/** multer stores the files on disk and computes no hash. */
serveUploads(({ directory }) => {
  const receive = multerTo(directory);
  return listen((request, response) => {
    receive(request, response).then(
      () => answer(response, 201, {}),
      (error: unknown) => answerFailure(response, error),
    );
  });
});
