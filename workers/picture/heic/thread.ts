import { parentPort, workerData } from 'node:worker_threads';
import { HeicFile, LibheifError, NoStillPicture, OutOfLibheifMemory } from './libheif.ts';
import type { HeicAnswer, HeicFailure, HeicTask } from './messages.ts';

/** Error codes from heif_error.h of libheif. */
const UNSUPPORTED_FILE = 3;
const UNSUPPORTED_FEATURE = 4;
const NO_MEMORY = 6;

const answer = answerTo(workerData as HeicTask);
parentPort?.postMessage(answer, answer.type === 'pixels' ? [answer.tiff.buffer] : []);

/**
 * Performs the task and returns the answer. Every error is the fault of the file, because the library has no other
 * input.
 */
function answerTo({ library, file, wanted, maxPixels }: HeicTask): HeicAnswer {
  try {
    const heic = new HeicFile(library, file);
    if (wanted === 'header') return { type: 'header', header: heic.header() };
    return { type: 'pixels', tiff: heic.decode(maxPixels, wanted === 'deep pixels') };
  } catch (error) {
    return { type: 'failed', failure: failureOf(error), words: String(error) };
  }
}

function failureOf(error: unknown): HeicFailure {
  if (error instanceof NoStillPicture) return 'moving';
  if (error instanceof OutOfLibheifMemory) return 'too-large';
  const code = error instanceof LibheifError ? error.code : undefined;
  if (code === NO_MEMORY) return 'too-large';
  return code === UNSUPPORTED_FILE || code === UNSUPPORTED_FEATURE ? 'unsupported' : 'damaged';
}
