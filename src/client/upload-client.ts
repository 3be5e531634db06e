import type { Limits, Problem, Progress } from '../wire/documents.ts';
import { createHttp, createPutPart, type RequestHeaders } from './http.ts';
import { type ConnectionListener, MAX_WATCHED, ProgressWatch } from './progress-watch.ts';
import { createAbortableDelays } from './abortable-delays.ts';
import { resolveLink, withoutEndSlashes } from './resolve-link.ts';
import { retry } from './retry.ts';
import { Semaphore } from './semaphore.ts';
import { createTickets, type FetchTicket } from './tickets.ts';
import type { TaskContext, TaskSpec } from './task-spec.ts';
import { DEFAULT_TUNING, type Tuning } from './tuning.ts';
import type { UploadHandle, UploadPhase } from './upload-handle.ts';
import { uploadId } from './upload-id.ts';
import { UploadTask } from './upload-task.ts';
import { isLimits } from './wire.ts';

// Users of the built module have no other place to import these from.
export { acceptFiles, filesOf } from './dropped-files.ts';
export { selectFiles } from './select-files.ts';
export { UploadError } from './upload-error.ts';
export type { UploadHandle } from './upload-handle.ts';

/** Options of the client. All are optional. */
export interface UploadClientOptions extends Partial<Tuning> {
  /**
   * Address of the service, such as `https://uploads.example`. Default: the origin of the page. Required outside
   * browsers.
   */
  baseUrl?: string;
  /**
   * Default: the global one, which does not count sent bytes. Another one may call `onSent(bytes)` of its second
   * argument while it sends a body, and the client then notices a dead connection sooner.
   */
  fetch?: typeof globalThis.fetch;
  /**
   * True to put files straight into the bucket of the service. The bucket must allow the page (CORS). Without a bucket
   * files go to the service. Default false.
   */
  direct?: boolean;
  /** Sent with every request to the service, for example for a gateway in front of it. */
  headers?: RequestHeaders;
  /**
   * Returns a ticket from the application's back end, for services that ask for one. It is called before the first
   * upload, and again if the server refuses the ticket.
   */
  ticket?: FetchTicket;
  /**
   * Called with false, the milliseconds to the next try and the reason if a progress request fails, and with true
   * when one succeeds. `wake()` tries at once.
   */
  onConnection?: ConnectionListener;
}

/** Listeners of one upload, called in the order of events. */
export interface FollowOptions {
  /** Called with every progress, including the final one. Must not throw. */
  onProgress?: (progress: Progress) => void;
  /**
   * Called with each phase, and with the reason if it is `retrying`: `cors_blocked` if the server does not allow the
   * page, `connection_lost` if it cannot be reached, or the server's own problem. Must not throw.
   */
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

/** Uploads files and watches them. Create one per page, because each client holds its own progress request. */
export interface UploadClient {
  /**
   * Starts an upload after the uploads that already wait. If the given id is being watched, that handle ends and its
   * result rejects with `aborted`. Throws a RangeError if the id is already being sent.
   */
  upload(file: Blob, options?: UploadOptions): UploadHandle;
  /**
   * Watches an upload whose bytes the server has, for example after a reload. If the client has a handle of it
   * already, it returns this one, and the given listeners are not used.
   */
  watch(id: string, options?: FollowOptions): UploadHandle;
  /**
   * Reads what the service accepts, with a ticket if the client has one, for `selectFiles`. Rejects with an
   * UploadError if there is no answer within `giveUpAfterMs`.
   */
  limits(): Promise<Limits>;
  /** Returns the address of a link of a document or a result, for `href` and `src` on a page of any origin. */
  url(link: string): string;
  /**
   * Ends all pauses after failures and asks for progress. Call it when the network is back or the page is visible
   * again.
   */
  wake(): void;
  /**
   * Ends all uploads on this side without cancelling them on the server. Their results reject with `aborted`. Cancels
   * and deletions that are already sent may still arrive, but are not repeated.
   */
  close(): void;
}

/**
 * Creates a client that uploads files and watches all of them with one held request. It needs only `fetch`, timers and
 * `crypto`, so it runs in browsers and in Node 20 or later.
 */
export function createUploadClient(clientOptions: UploadClientOptions = {}): UploadClient {
  const { baseUrl = '', fetch = globalThis.fetch.bind(globalThis), ...others } = clientOptions;
  const { headers, ticket, direct = false, onConnection, ...tuned } = others;
  const base = withoutEndSlashes(baseUrl);
  const tasks = new Map<string, UploadTask>();
  let closing = new AbortController();
  const context = createContext({
    http: createHttp(base, fetch, headers),
    tickets: createTickets(ticket),
    tuning: { ...DEFAULT_TUNING, ...tuned },
    putPart: direct ? createPutPart(fetch) : undefined,
    start: send,
    closeSignal: () => closing.signal,
    onConnection,
  });

  function start(spec: TaskSpec): UploadTask {
    const task = new UploadTask(context, spec);
    tasks.set(task.id, task);
    const forget = (): boolean => tasks.get(task.id) === task && tasks.delete(task.id);
    task.result.then(forget, forget);
    if (spec.signal) cancelOn(spec.signal, task);
    return task;
  }

  function send(spec: TaskSpec): UploadTask {
    const present = tasks.get(spec.id);
    if (present?.isSending === true) throw new RangeError(`The upload ${spec.id} is already being sent.`);
    present?.abandon();
    return start(spec);
  }

  return {
    upload(
      file,
      { id: givenId, name = nameOf(file), options, signal, paused: isPaused = false, onProgress, onPhase } = {},
    ) {
      const id = givenId ?? uploadId();
      const isKnown = givenId !== undefined;
      return send({ id, file: { blob: file, name, options }, isKnown, isPaused, signal, onProgress, onPhase });
    },
    watch: (id, { onProgress, onPhase } = {}) => tasks.get(id) ?? start({ id, onProgress, onPhase }),
    limits: () => readLimits(context),
    url: (link) => resolveLink(base, link),
    wake() {
      context.delays.endAll();
      context.watch.wake();
    },
    close() {
      for (const task of tasks.values()) task.abandon();
      closing.abort();
      closing = new AbortController();
    },
  };
}

type GivenParts = Omit<TaskContext, 'delays' | 'watch' | 'sending' | 'open'>;

function createContext({
  onConnection = () => undefined,
  ...given
}: GivenParts & { onConnection: UploadClientOptions['onConnection'] | undefined }): TaskContext {
  return {
    ...given,
    delays: createAbortableDelays(),
    watch: new ProgressWatch(given.http, given.tuning, onConnection),
    sending: new Semaphore(given.tuning.sendAtOnce),
    open: new Semaphore(MAX_WATCHED),
  };
}

function readLimits({ http, tickets, tuning, delays, closeSignal }: TaskContext): Promise<Limits> {
  const signal = closeSignal();
  const send = (ticket: Record<string, string>): Promise<Limits> =>
    http.request('/limits', isLimits, { headers: ticket, signal });
  return retry(() => tickets.use(send, signal), { tuning, delays, signal });
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
