import type { Problem, Progress, Upload } from '../wire/documents.ts';
import { createHttp } from './http.ts';
import { type ConnectionListener, MAX_WATCHED, ProgressWatch } from './progress-watch.ts';
import { createAbortableDelays } from './abortable-delays.ts';
import { Semaphore } from './semaphore.ts';
import { createTickets, type FetchTicket } from './tickets.ts';
import type { TaskContext, TaskSpec, UploadPhase } from './task-spec.ts';
import { DEFAULT_TUNING, type Tuning } from './tuning.ts';
import { uploadId } from './upload-id.ts';
import { UploadTask } from './upload-task.ts';

// Users of the built module have no other place to import it from.
export { UploadError } from './upload-error.ts';

/** All options are optional. */
export interface UploadClientOptions extends Partial<Tuning> {
  /**
   * Address of the service, such as `https://uploads.example`. Default: the origin of the page. Required outside
   * browsers.
   */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  /**
   * Returns a ticket from the application's back end, for services that ask for one. It is called before the first
   * upload, and again if the server refuses the ticket.
   */
  ticket?: FetchTicket;
  /**
   * Called with false and the milliseconds to the next try if a progress request fails, and with true when one
   * succeeds. `wake()` tries at once.
   */
  onConnection?: ConnectionListener;
}

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
  /** Called with every progress, including the final one. Must not throw. */
  onProgress?: (progress: Progress) => void;
  /** Called with each phase, and with the reason if it is `retrying`. Must not throw. */
  onPhase?: (phase: UploadPhase, problem?: Problem) => void;
}

/** Options of one upload. */
export interface UploadOptions extends FollowOptions {
  /** File name. Default: the name of the `File`, or `file` for a plain `Blob`. */
  name?: string;
  /** Options of the processor, as in the API reference. */
  options?: object;
  /** Aborting it cancels the upload, as `cancel()` does. */
  signal?: AbortSignal;
  /** A UUID version 4. An interrupted upload resumes if it gets its old id, also after a reload of the page. */
  id?: string;
  /** True to start only after `resume()`. */
  paused?: boolean;
}

/** One upload of the client. */
export interface UploadHandle {
  readonly id: string;
  readonly phase: UploadPhase;
  /** Can be iterated more than once. Ends when the upload is over, with or without success. */
  readonly progress: AsyncIterable<Progress>;
  /** Rejects with an UploadError unless the upload is `completed`. An unhandled rejection is not reported. */
  readonly result: Promise<Upload>;
  /**
   * Cancels the upload unless it is final. Resolves when the server has confirmed, or after `giveUpAfterMs`. Never
   * rejects.
   */
  cancel(): Promise<void>;
  /**
   * Stops sending, so that the next file starts. After `resume` a file that is sent in parts continues, and a smaller
   * file starts again from the first byte. Returns false and does nothing if the server already has all bytes.
   */
  pause(): boolean;
  /** Continues a paused upload after the uploads that already wait. Returns false if it is not paused. */
  resume(): boolean;
}

/** Uploads files and watches them. Create one per page, because each client holds its own progress request. */
export interface UploadClient {
  /**
   * Starts an upload after the uploads that already wait. If the given id is being watched, that handle ends and its
   * result rejects with `aborted`. Throws a RangeError if the id is already being sent.
   */
  upload(file: Blob, options?: UploadOptions): UploadHandle;
  /**
   * Watches an upload whose bytes the server has, for example after a reload. Returns the existing handle if there is
   * one.
   */
  watch(id: string, options?: FollowOptions): UploadHandle;
  /**
   * Ends all pauses after failures and asks for progress. Call it when the network is back or the page is visible
   * again.
   */
  wake(): void;
  /** Ends all uploads on this side without cancelling them on the server. Their results reject with `aborted`. */
  close(): void;
}

/**
 * Creates a client that uploads files and watches all of them with one held request. It needs only `fetch`, timers and
 * `crypto`, so it runs in browsers and in Node 20 or later.
 */
export function createUploadClient(clientOptions: UploadClientOptions = {}): UploadClient {
  const { baseUrl = '', fetch = globalThis.fetch.bind(globalThis), ticket, onConnection, ...tuned } = clientOptions;
  const context = createContext(
    { ...DEFAULT_TUNING, ...tuned },
    createHttp(withoutEndSlashes(baseUrl), fetch),
    createTickets(ticket),
    onConnection,
  );
  const tasks = new Map<string, UploadTask>();

  function start(spec: TaskSpec): UploadTask {
    const task = new UploadTask(context, spec);
    tasks.set(task.id, task);
    const forget = (): boolean => tasks.get(task.id) === task && tasks.delete(task.id);
    task.result.then(forget, forget);
    return task;
  }

  return {
    upload(
      file,
      { id: givenId, name = nameOf(file), options, signal, paused: isPaused = false, onProgress, onPhase } = {},
    ) {
      const id = givenId ?? uploadId();
      const present = tasks.get(id);
      if (present?.isSending === true) throw new RangeError(`The upload ${id} is already being sent.`);
      present?.abandon();
      const isKnown = givenId !== undefined;
      const task = start({ id, file: { blob: file, name, options }, isKnown, isPaused, onProgress, onPhase });
      if (signal) cancelOn(signal, task);
      return task;
    },
    watch: (id, { onProgress, onPhase } = {}) => tasks.get(id) ?? start({ id, onProgress, onPhase }),
    wake() {
      context.delays.endAll();
      context.watch.wake();
    },
    close() {
      for (const task of tasks.values()) task.abandon();
    },
  };
}

function createContext(
  tuning: Tuning,
  http: TaskContext['http'],
  tickets: TaskContext['tickets'],
  onConnection: UploadClientOptions['onConnection'] = () => undefined,
): TaskContext {
  return {
    http,
    tickets,
    tuning,
    delays: createAbortableDelays(),
    watch: new ProgressWatch(http, tuning, onConnection),
    sending: new Semaphore(tuning.sendAtOnce),
    open: new Semaphore(MAX_WATCHED),
  };
}

function nameOf(file: Blob): string {
  return 'name' in file && typeof file.name === 'string' && file.name !== '' ? file.name : 'file';
}

function cancelOn(signal: AbortSignal, task: UploadTask): void {
  const cancel = (): void => void task.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel);
  const stopListening = (): void => signal.removeEventListener('abort', cancel);
  task.result.then(stopListening, stopListening);
}

function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === '/') end -= 1;
  return url.slice(0, end);
}
