import { Worker } from 'node:worker_threads';
import { asServiceError, isMissing, storageUnavailable } from './file-errors.ts';
import type { NewFile, StoreJob, StoreOutcome } from './store-batch.ts';

/** A job without an outcome. */
interface Pending {
  resolve(hadFolder: boolean): void;
  reject(error: unknown): void;
}

/**
 * Stores small files in a thread of its own. Node's own asynchronous calls need a message to a thread and back for each
 * system call; this needs one for all calls of an upload, or of several uploads. The thread starts with the first file.
 */
export class StoreThread {
  readonly #entry: URL;
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | undefined;
  #jobs = 0;

  /** @param entry the compiled `store-thread-entry`. */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  /**
   * Stores files of one folder. They become visible in this order. All are durable when it resolves; if it rejects,
   * none is left. The bytes are moved to the thread, so each file needs a buffer of its own. False if the folder is
   * new.
   */
  async store(files: readonly NewFile[]): Promise<boolean> {
    const job: StoreJob = { number: ++this.#jobs, files };
    const thread = (this.#thread ??= this.#start());
    // The thread keeps the process alive only while it works.
    thread.ref();
    return await new Promise<boolean>((resolve, reject) => {
      this.#pending.set(job.number, { resolve, reject });
      thread.postMessage(
        job,
        files.map(({ bytes }) => bytes.buffer as ArrayBuffer),
      );
    });
  }

  /** Call it last: running jobs fail. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(this.#entry, { env: {}, execArgv: [] });
    thread.on('message', (outcomes: readonly StoreOutcome[]) => {
      for (const outcome of outcomes) this.#finish(outcome);
      if (this.#pending.size === 0) thread.unref();
    });
    // An error is followed by `exit`, when no job can reach the thread any more.
    let fault: unknown = new Error('the thread that stores files has ended');
    thread.on('error', (error: unknown) => (fault = error));
    thread.on('exit', () => this.#ended(fault));
    return thread;
  }

  #finish({ number, hadFolder, error }: StoreOutcome): void {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    if (error === undefined) return pending?.resolve(hadFolder);
    const cause = Object.assign(new Error(error.message), { code: error.code });
    pending?.reject(isMissing(cause) ? storageUnavailable(cause) : asServiceError(cause));
  }

  /** Fails all running jobs. The next file starts another thread. */
  #ended(error: unknown): void {
    this.#thread = undefined;
    for (const pending of this.#pending.values()) pending.reject(storageUnavailable(error));
    this.#pending.clear();
  }
}
