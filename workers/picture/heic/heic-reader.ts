import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { HeicAnswer, HeicFailure, HeicHeader, HeicTask } from './messages.ts';

interface HeicBounds {
  readonly maxPixels: number;
  readonly maxSeconds: number;
  readonly signal: AbortSignal;
}

/** Reads HEIC files. Each call runs in a thread of its own, which ends with the call. */
export interface HeicReader {
  /** Reads the description of the primary picture. Nothing is decoded. */
  header(path: string, bounds: HeicBounds): Promise<HeicHeader>;
  /**
   * Decodes the primary picture to a TIFF, upright, with its profile.
   * @param isDeep 16 bits per channel instead of 8, with the highest bits first
   */
  pixels(path: string, bounds: HeicBounds, isDeep: boolean): Promise<Buffer>;
}

const LIBRARY = 'libheif-js/libheif-wasm/libheif.wasm';

const SAVE_AS_JPEG = 'Save it as JPEG and upload the new file.';

const FAILURES: Readonly<
  Record<HeicFailure, readonly [code: 'damaged' | 'unsupported' | 'too_large', detail: string]>
> = {
  damaged: ['damaged', 'The picture is damaged and cannot be decoded. Upload the original again, or save it as JPEG.'],
  unsupported: ['unsupported', `The HEIC picture uses a feature that is not supported. ${SAVE_AS_JPEG}`],
  moving: ['unsupported', 'The HEIC file has only moving pictures. Save one of them as JPEG and upload the new file.'],
  'too-large': ['too_large', 'The picture needs more memory than is allowed. Make it smaller and upload it again.'],
};

/**
 * Creates a reader. Rejections for the fault of a file are `UnprocessableError`. A call ends at its time limit, with an
 * error that begins with `timeout: `, as in libvips, and when the signal fires.
 * @param entry the compiled module `thread.js`
 */
export function createHeicReader(entry: URL): HeicReader {
  const run = async (path: string, wanted: HeicTask['wanted'], bounds: HeicBounds): Promise<HeicAnswer> => {
    compiling ??= compileLibrary();
    const [library, file] = await Promise.all([compiling, readFile(path, { signal: bounds.signal })]);
    const task: HeicTask = { wanted, library, file: new Uint8Array(file), maxPixels: bounds.maxPixels };
    const answer = await inThread(entry, task, bounds);
    if (answer.type === 'failed') throw unprocessable(answer.failure, answer.words);
    return answer;
  };
  return {
    async header(path, bounds) {
      const answer = await run(path, 'header', bounds);
      if (answer.type !== 'header') throw new Error('the thread for HEIC has answered something else');
      return answer.header;
    },
    async pixels(path, bounds, isDeep) {
      const answer = await run(path, isDeep ? 'deep pixels' : 'pixels', bounds);
      if (answer.type !== 'pixels') throw new Error('the thread for HEIC has answered something else');
      return Buffer.from(answer.tiff.buffer);
    },
  };
}

/** Shared by all readers, because the compiled functions belong to the module. */
let compiling: Promise<WebAssembly.Module> | undefined;

async function compileLibrary(): Promise<WebAssembly.Module> {
  return await WebAssembly.compile(new Uint8Array(await readFile(createRequire(import.meta.url).resolve(LIBRARY))));
}

async function inThread(entry: URL, task: HeicTask, { maxSeconds, signal }: HeicBounds): Promise<HeicAnswer> {
  signal.throwIfAborted();
  const thread = new Worker(entry, {
    workerData: task,
    transferList: [task.file.buffer],
    // The thread needs no settings, so it gets no secrets.
    env: {},
    execArgv: [],
  });
  let release = (): void => undefined;
  try {
    return await new Promise<HeicAnswer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`timeout: ${maxSeconds} s`)), maxSeconds * 1000);
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      release = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      thread.once('message', resolve);
      thread.once('error', reject);
      // A damaged file can make the library end the thread.
      thread.once('exit', (code) => reject(unprocessable('damaged', `the thread ended with code ${code}`)));
    });
  } finally {
    release();
    await thread.terminate();
  }
}

function unprocessable(failure: HeicFailure, words: string): UnprocessableError {
  const [code, detail] = FAILURES[failure];
  return new UnprocessableError(`picture_${code}`, detail, { cause: words });
}
