import type { Progress, Upload } from '../wire/documents.ts';
import { createHttp } from './http.ts';
import { MOST_WATCHED, ProgressWatch } from './progress-watch.ts';
import { createAbortableDelays } from './abortable-delays.ts';
import { Semaphore } from './semaphore.ts';
import type { TaskContext, TaskSpec, UploadPhase } from './task-spec.ts';
import { DEFAULT_TUNING, type Tuning } from './tuning.ts';
import { uploadId } from './upload-id.ts';
import { UploadTask } from './upload-task.ts';

// Users of the built module catch it, and have nowhere else to import it from.
export { UploadError } from './upload-error.ts';

/** Figures that are left out keep their defaults. */
export interface UploadClientOptions extends Partial<Tuning> {
  /** Where the service is, such as `https://uploads.example`; the page's own origin by default, so needed outside browsers. */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  /** Told false when progress cannot be asked for, and true when it can again. */
  onConnection?: (connected: boolean) => void;
}

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
  /** Called with every progress known, the final one included. Must not throw. */
  onProgress?: (progress: Progress) => void;
  /** Must not throw. */
  onPhase?: (phase: UploadPhase) => void;
}

/** What may be said of a file that is sent. */
export interface UploadOptions extends FollowOptions {
  /** A File's own name by default, else `file`. */
  name?: string;
  /** What the processor is asked for, as the API reference says; its defaults where left out. */
  options?: object;
  /** Aborting it is `cancel()`. */
  signal?: AbortSignal;
  /** A UUID version 4: an upload that was broken off, in this page or in one before, goes on under its old id. */
  id?: string;
  /** True to begin with a pause, which `resume` ends. */
  paused?: boolean;
}

/** One upload under way. */
export interface UploadHandle {
  readonly id: string;
  readonly phase: UploadPhase;
  /** May be iterated more than once; ends when the upload is over, however that was. */
  readonly progress: AsyncIterable<Progress>;
  /** Rejects with an UploadError in every case but `completed`. Leaving it unhandled is no fault. */
  readonly result: Promise<Upload>;
  /** What is final already keeps its outcome. Resolves once the server knows; never rejects. */
  cancel(): Promise<void>;
  /**
   * Stops sending and lets others take the place. What went in parts goes on where it was, a smaller file begins anew;
   * either way it is one upload. False, and nothing done, once the server has all bytes.
   */
  pause(): boolean;
  /** False where it is not paused. */
  resume(): boolean;
}

/** The hands of a page or a script on the service; one per page, as each holds a request of its own. */
export interface UploadClient {
  /**
   * Takes its turn after those given before. Where the given id is being watched, that ends (its result rejects as
   * `aborted`); where it is being sent, a RangeError is thrown.
   */
  upload(file: Blob, options?: UploadOptions): UploadHandle;
  /** Follows an upload whose bytes the server has, as after a reload; the handle in hand where there is one. */
  watch(id: string, options?: FollowOptions): UploadHandle;
  /** Ends the waits after failures, and asks for progress anew: for when the network is back, or the page is seen again. */
  wake(): void;
  /** Lets go of everything in hand, without cancelling what the server has: the results reject as `aborted`. */
  close(): void;
}

/**
 * Sends files and follows them with one held request for all. Uses nothing but `fetch`, timers
 * and `crypto`, and so runs in browsers and in Node 20 alike.
 */
export function createUploadClient(clientOptions: UploadClientOptions = {}): UploadClient {
  const { baseUrl = '', fetch = globalThis.fetch.bind(globalThis), onConnection, ...tuned } = clientOptions;
  const context = createContext(
    { ...DEFAULT_TUNING, ...tuned },
    createHttp(withoutEndSlashes(baseUrl), fetch),
    onConnection,
  );
  const inHand = new Map<string, UploadTask>();

  function start(spec: TaskSpec): UploadTask {
    const task = new UploadTask(context, spec);
    inHand.set(task.id, task);
    const forget = (): boolean => inHand.get(task.id) === task && inHand.delete(task.id);
    task.result.then(forget, forget);
    return task;
  }

  return {
    upload(
      file,
      { id: givenId, name = nameOf(file), options, signal, paused: isPaused = false, onProgress, onPhase } = {},
    ) {
      const id = givenId ?? uploadId();
      const present = inHand.get(id);
      if (present?.isSending === true) throw new RangeError(`upload ${id} is being sent already`);
      present?.abandon();
      const isKnown = givenId !== undefined;
      const task = start({ id, file: { blob: file, name, options }, isKnown, isPaused, onProgress, onPhase });
      if (signal) cancelOn(signal, task);
      return task;
    },
    watch: (id, { onProgress, onPhase } = {}) => inHand.get(id) ?? start({ id, onProgress, onPhase }),
    wake() {
      context.delays.endAll();
      context.watch.wake();
    },
    close() {
      for (const task of inHand.values()) task.abandon();
    },
  };
}

function createContext(
  tuning: Tuning,
  http: TaskContext['http'],
  onConnection: UploadClientOptions['onConnection'] = () => undefined,
): TaskContext {
  return {
    http,
    tuning,
    delays: createAbortableDelays(),
    watch: new ProgressWatch(http, tuning, onConnection),
    sending: new Semaphore(tuning.sendAtOnce),
    open: new Semaphore(MOST_WATCHED),
  };
}

function nameOf(file: Blob): string {
  return 'name' in file && typeof file.name === 'string' && file.name !== '' ? file.name : 'file';
}

function cancelOn(signal: AbortSignal, task: UploadTask): void {
  const cancel = (): void => void task.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel);
  const letGo = (): void => signal.removeEventListener('abort', cancel);
  task.result.then(letGo, letGo);
}

function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === '/') end -= 1;
  return url.slice(0, end);
}
