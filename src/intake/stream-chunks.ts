import type { Readable } from 'node:stream';

/** The stream is paused when this many bytes wait for the reader. */
const GATHER_BYTES = 256 * 1024;

/** The stream is also paused at this many chunks, because they may be short. It resumes when half of them are read. */
const GATHER_CHUNKS = 64;

interface Reader {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Iterates over the chunks of a stream without copying them. The iterator of the stream itself joins waiting chunks,
 * which copies every byte. Reading starts with the first `next`. If the loop is left early, the stream is paused and
 * stays open.
 */
export class StreamChunks implements AsyncIterableIterator<Buffer, undefined> {
  readonly #stream: Readable;
  readonly #toError: (error: unknown) => unknown;
  readonly #signal: AbortSignal | undefined;
  readonly #onFirst: (() => void) | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #state: 'new' | 'open' | 'ended' | 'failed' = 'new';
  #error: unknown;
  #reader: Reader | undefined;
  #onDrain: (() => void) | undefined;

  /**
   * @param toError converts an error of the stream to the error for the reader.
   * @param signal ends the iteration with its reason. Waiting chunks are dropped.
   * @param onFirst called with the first `next`, if the stream can still be read.
   */
  constructor(stream: Readable, toError: (error: unknown) => unknown, signal?: AbortSignal, onFirst?: () => void) {
    this.#stream = stream;
    this.#toError = toError;
    this.#signal = signal;
    this.#onFirst = onFirst;
    if (signal?.aborted === true) this.#fail(signal.reason);
    else signal?.addEventListener('abort', this.#onAbort);
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#state === 'new') this.#open();
    const chunk = this.#gathered.shift();
    if (chunk !== undefined) {
      this.#gatheredBytes -= chunk.length;
      if (this.#stream.isPaused() && this.#gatheredBytes < GATHER_BYTES && this.#gathered.length <= GATHER_CHUNKS / 2)
        this.#resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#state === 'failed') return Promise.reject(this.#error);
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  return(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#state === 'open') this.#stream.pause();
    this.#onEnd();
    this.#gathered = [];
    return Promise.resolve({ done: true, value: undefined });
  }

  /**
   * Adds a chunk directly, without the stream. `done` is called when the next one may follow. Returns false and does
   * nothing if the stream still has earlier bytes, or if nothing is reading.
   */
  take(chunk: Buffer, done: () => void): boolean {
    if (this.#state !== 'open' || this.#stream.isPaused() || this.#stream.readableLength > 0) return false;
    if (chunk.length > 0) this.#onData(chunk);
    if (this.#stream.isPaused()) this.#onDrain = done;
    else done();
    return true;
  }

  /** Calls `done` when the reader has caught up. Returns false and does nothing if it is not behind or not reading. */
  awaitDrain(done: () => void): boolean {
    if (this.#state !== 'open' || !this.#stream.isPaused()) return false;
    this.#onDrain = done;
    return true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #open(): void {
    this.#state = 'open';
    const stream = this.#stream;
    if (stream.errored !== null) return this.#onError(stream.errored);
    if (stream.readableEnded) return this.#onEnd();
    if (stream.destroyed) return this.#onClose();
    stream.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
    stream.resume();
    this.#onFirst?.();
  }

  #resume(): void {
    this.#stream.resume();
    this.#notifyDrain();
  }

  #notifyDrain(): void {
    const notify = this.#onDrain;
    this.#onDrain = undefined;
    notify?.();
  }

  #fail(error: unknown): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    this.#error = error;
    this.#gathered = [];
    this.#close('failed');
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  #close(state: 'ended' | 'failed'): void {
    this.#state = state;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // The listener for errors stays, because an unhandled error event would end the process.
    this.#notifyDrain();
  }

  readonly #onData = (chunk: Buffer): void => {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value: chunk });
      return;
    }
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= GATHER_BYTES || this.#gathered.length >= GATHER_CHUNKS) this.#stream.pause();
  };

  readonly #onEnd = (): void => {
    this.#close('ended');
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  };

  readonly #onError = (error: unknown): void => this.#fail(this.#toError(error));

  readonly #onClose = (): void => this.#fail(this.#toError(new Error('the stream was closed before its end')));

  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
}
