import type { Readable } from 'node:stream';

/** So much may gather while the reader is busy; the stream waits with what goes beyond it. */
const GATHER_BYTES = 256 * 1024;

/** And so many, since a sender may make them as short as it likes; it goes on when half of them are read. */
const GATHER_CHUNKS = 64;

interface Reader {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: unknown): void;
}

/**
 * The chunks of a stream one by one, as they came. Iterating over the stream itself would join what has gathered,
 * which copies every byte once more. Nothing is read before the first `next`. Leaving early lets go of the stream
 * and pauses it, open as it is.
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
   * @param toError what the reader is told in place of the stream's own errors.
   * @param signal ends it with its reason, before what has gathered.
   * @param onFirst called with the first `next`, where there is anything to read.
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
        this.#goOn();
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
   * A chunk that follows on what the stream has given, brought past it; `done` is called when the next may come.
   * False, and nothing done, where the stream holds some that come before it, or nobody reads.
   */
  take(chunk: Buffer, done: () => void): boolean {
    if (this.#state !== 'open' || this.#stream.isPaused() || this.#stream.readableLength > 0) return false;
    if (chunk.length > 0) this.#onData(chunk);
    if (this.#stream.isPaused()) this.#onDrain = done;
    else done();
    return true;
  }

  /** Calls `done` when the reader has caught up. False, and nothing done, where it is not behind, or nobody reads. */
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

  #goOn(): void {
    this.#stream.resume();
    this.#notifyDrain();
  }

  #notifyDrain(): void {
    const tell = this.#onDrain;
    this.#onDrain = undefined;
    tell?.();
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
    // The listener for errors stays: one that nobody listens for would end the process.
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
