import type {
  Problem,
  Progress,
  Result,
  Upload,
  UploadClient,
  UploadError,
  UploadOptions,
  UploadPhase,
  UploadState,
} from '../../client/client.d.ts';

/** Options of the hooks. They may change with each render; a change applies from then on. */
export interface UploadsOptions {
  /** The client of the page. Default: one client for all hooks of the page, for a service at the page's origin. */
  client?: UploadClient;
  /** Beginning of the address in `url`. Default: the `baseUrl` of the client. */
  baseUrl?: string;
  /** What happens to unfinished uploads when the component is unmounted. Default `continue`. */
  onUnmount?: 'continue' | 'cancel';
}

/** Options of one upload. */
export type SendOptions = Omit<UploadOptions, 'onProgress' | 'onPhase'>;

/** One upload as a component shows it. It is replaced by a new object at each change; its functions stay the same. */
export interface UploadView {
  /** Key of the upload in the list of a component. It stays the same after `retry`, even if `id` changes. */
  readonly key: string;
  /** The upload's id, a secret of the uploader. */
  readonly id: string;
  readonly name: string;
  /** The phase on the client. It is `over` together with `result` or `error`. */
  readonly phase: UploadPhase;
  /** Why the client retries, with the server's words if it answered; null unless `phase` is `retrying`. */
  readonly problem: Problem | null;
  /** The state on the server; null before the first progress. */
  readonly state: UploadState | null;
  /** The one percent from the first byte to the result. It never goes down, except after `retry`. */
  readonly percent: number;
  /** Null before the first progress. */
  readonly progress: Progress | null;
  /** Null unless completed. */
  readonly upload: Upload | null;
  /** Null unless completed. */
  readonly result: Result | null;
  /** Null unless the upload ended without a result. Its `problem` is the server's document. */
  readonly error: UploadError | null;
  /** Address of the largest picture that was made, or of the rows of a table; null unless completed. */
  readonly url: string | null;
  /** Never rejects. */
  readonly cancel: () => Promise<void>;
  /** Returns false if the server already has all bytes. */
  readonly pause: () => boolean;
  /** Returns false if the upload is not paused. */
  readonly resume: () => boolean;
  /**
   * Sends the file again after an error. If only the connection failed, the upload keeps its id, and no byte that
   * arrived is sent again. Returns false if there is no error, or no file because the upload was only watched.
   */
  readonly retry: () => boolean;
  /** Takes the upload off the list, and cancels it if it is not over. */
  readonly remove: () => void;
}
