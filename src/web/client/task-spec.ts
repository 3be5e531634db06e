import type { Progress } from '../../api.ts';
import type { Http } from './http.ts';
import type { ProgressWatch } from './progress-watch.ts';
import type { Rests } from './rests.ts';
import type { Slots } from './slots.ts';
import type { Tuning } from './tuning.ts';

/**
 * Where the client stands with an upload; how far the server has come, its Progress tells.
 * `waiting` for its turn, `sending`, `retrying` after a broken connection, `following` what
 * becomes of the bytes, `over`.
 */
export type UploadPhase = 'waiting' | 'sending' | 'retrying' | 'following' | 'over';

/** What all uploads of a client share. */
export interface TaskContext {
  readonly http: Http;
  readonly watch: ProgressWatch;
  /** Places for files on their way, and for uploads that are watched. */
  readonly sending: Slots;
  readonly open: Slots;
  readonly rests: Rests;
  readonly tuning: Tuning;
}

/** What makes one upload differ from another. */
export interface TaskSpec {
  readonly id: string;
  /** Left out where the bytes are the server's already. */
  readonly file?: { readonly blob: Blob; readonly name: string };
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onPhase?: ((phase: UploadPhase) => void) | undefined;
}
