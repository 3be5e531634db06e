import type { Problem, Progress } from '../wire/documents.ts';
import type { Http, PutPart } from './http.ts';
import type { ProgressWatch } from './progress-watch.ts';
import type { AbortableDelays } from './abortable-delays.ts';
import type { Semaphore } from './semaphore.ts';
import type { Tickets } from './tickets.ts';
import type { Tuning } from './tuning.ts';
import type { UploadHandle, UploadPhase } from './upload-handle.ts';

/** A file and its options. */
export interface FileToSend {
  readonly blob: Blob;
  readonly name: string;
  /** Options of the processor, as in the API reference. The default is the processor's own. */
  readonly options?: object | undefined;
}

/** The parts that all uploads of a client share. */
export interface TaskContext {
  readonly http: Http;
  readonly tickets: Tickets;
  readonly watch: ProgressWatch;
  /** Limits the files that are sent at the same time. */
  readonly sending: Semaphore;
  /** Limits the uploads that are watched at the same time. */
  readonly open: Semaphore;
  readonly delays: AbortableDelays;
  readonly tuning: Tuning;
  /** Puts parts straight into the bucket of the service, if it has one. Undefined if the client does not want it. */
  readonly putPart: PutPart | undefined;
  /** Starts another upload of the client. */
  readonly start: (spec: TaskSpec) => UploadHandle;
  /** Aborts when the client is closed. */
  readonly closeSignal: () => AbortSignal;
}

/** The parameters of one upload. */
export interface TaskSpec {
  readonly id: string;
  /** Undefined if the server already has all bytes. */
  readonly file?: FileToSend;
  /** True if the server may already have an upload with this id. */
  readonly isKnown?: boolean;
  /** True if the upload starts only after `resume`. */
  readonly isPaused?: boolean;
  /** A signal that cancels the upload if it is aborted. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onPhase?: ((phase: UploadPhase, problem?: Problem) => void) | undefined;
}
