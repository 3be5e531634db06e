import type { Progress } from '../wire/documents.ts';
import type { Http } from './http.ts';
import type { ProgressWatch } from './progress-watch.ts';
import type { AbortableDelays } from './abortable-delays.ts';
import type { Semaphore } from './semaphore.ts';
import type { Tuning } from './tuning.ts';

/**
 * Where the client stands with an upload; how far the server has come, its Progress tells.
 * `waiting` for its turn, `sending`, `retrying` after a broken connection, `paused` by you,
 * `following` what becomes of the bytes, `over`.
 */
export type UploadPhase = 'waiting' | 'sending' | 'retrying' | 'paused' | 'following' | 'over';

/** Bytes, and what is said of them. */
export interface FileToSend {
  readonly blob: Blob;
  readonly name: string;
  /** What the processor is asked for; left out for its defaults. */
  readonly options?: object | undefined;
}

/** What all uploads of a client share. */
export interface TaskContext {
  readonly http: Http;
  readonly watch: ProgressWatch;
  /** Places for files on their way, and for uploads that are watched. */
  readonly sending: Semaphore;
  readonly open: Semaphore;
  readonly delays: AbortableDelays;
  readonly tuning: Tuning;
}

/** What makes one upload differ from another. */
export interface TaskSpec {
  readonly id: string;
  /** Left out where the bytes are the server's already. */
  readonly file?: FileToSend;
  /** True where the server may know the id already. */
  readonly isKnown?: boolean;
  /** True for one that does not start before `resume`. */
  readonly isPaused?: boolean;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onPhase?: ((phase: UploadPhase) => void) | undefined;
}
