import type { Progress, Result, Upload } from '../wire/documents.ts';

/**
 * The phase of an upload on the client; its `Progress` describes the server's side. `waiting`: not started, because
 * other files are sent first. `sending`. `retrying` after an error. `paused` by `pause()`. `following`: the server has
 * all bytes and the client waits for the result. `over`.
 */
export type UploadPhase = 'waiting' | 'sending' | 'retrying' | 'paused' | 'following' | 'over';

/** An upload that is completed, so it has a result. `result.kind` says which one. */
export interface CompletedUpload extends Upload {
  state: 'completed';
  result: Result;
}

/** One upload of the client. */
export interface UploadHandle {
  readonly id: string;
  readonly phase: UploadPhase;
  /**
   * The progress of the upload. Can be iterated more than once. It ends when the upload is over, with or without
   * success.
   */
  readonly progress: AsyncIterable<Progress>;
  /** Rejects with an UploadError unless the upload is `completed`. An unhandled rejection is not reported. */
  readonly result: Promise<CompletedUpload>;
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
  /**
   * Sends the file again after a failure or a cancel, with the same options, and returns the new handle. If the
   * outcome on the server is unknown, the id stays the same and bytes that arrived are not sent again. Returns null
   * if the upload is not over or is completed, or if it was only watched.
   */
  retry(): UploadHandle | null;
  /**
   * Deletes the upload with its files and results from the server, and cancels it if it is not over. Resolves when
   * the server has confirmed. Rejects with an UploadError if it does not, after `giveUpAfterMs`.
   */
  delete(): Promise<void>;
}
