import type { Upload, UploadClient, UploadClientOptions } from '../../client/client.d.ts';
import { createHttp, type Http, readHeaders } from '../../client/http.ts';
import { withoutEndSlashes } from '../../client/resolve-link.ts';
import { createUploadClient } from '../../client/upload-client.ts';
import { asUploadError, isDeleted, type UploadError } from '../../client/upload-error.ts';
import { isUpload } from '../../client/wire.ts';
import { readContent } from './read-content.ts';

/** Options of the client, and of the server object. */
export interface FilePondServerOptions extends UploadClientOptions {
  /** The client of the page, if it has one. Pass the same `baseUrl` and `fetch` here. Default: a new client. */
  client?: UploadClient;
  /**
   * When FilePond shows a file as done: `completed` after its processing (default), `stored` as soon as the service has
   * all bytes.
   */
  doneWhen?: 'completed' | 'stored';
  /** Returns the options of the processor for a file. `metadata` is the metadata of the file in FilePond. */
  optionsOf?: (file: Blob, metadata: Readonly<Record<string, unknown>>) => object | undefined;
}

/** A function of FilePond that shows the progress of a file. */
export type ShowProgress = (isLengthComputable: boolean, loaded: number, total: number) => void;

/** The functions that `process`, `restore` and `load` return to FilePond. */
export interface Abortable {
  /** Cancels the upload or the download. */
  abort: () => void;
}

/** Reads the uploaded file again. */
export type ReadFile = (
  id: string,
  load: (file: File) => void,
  error: (message: string) => void,
  progress: ShowProgress,
  abort: () => void,
  headers?: (headers: string) => void,
) => Abortable;

/** The `server` option of FilePond. FilePond's `serverId` is the id of the upload, a secret of the uploader. */
export interface FilePondServer {
  /** Sends a file. The progress is the one percent of the service, from the first byte to the result. */
  process: (
    fieldName: string,
    file: Blob,
    metadata: Readonly<Record<string, unknown>>,
    load: (id: string) => void,
    error: (message: string) => void,
    progress: ShowProgress,
    abort: () => void,
  ) => Abortable;
  /** Deletes an upload. */
  revert: (id: string, load: () => void, error: (message: string) => void) => void;
  /** Reads the file of an upload that the form remembers from an earlier page. */
  restore: ReadFile;
  /** Reads the file of an upload that the application has kept. */
  load: ReadFile;
}

interface Context {
  readonly client: UploadClient;
  readonly http: Http;
  readonly fetch: typeof globalThis.fetch;
  readonly baseUrl: string;
  readonly options: FilePondServerOptions;
}

/** Creates the `server` option of FilePond for a service. Create one per page, because it has a client. */
export function createFilePondServer(options: FilePondServerOptions = {}): FilePondServer {
  const { client, doneWhen: _doneWhen, optionsOf: _optionsOf, ...clientOptions } = options;
  const fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  const baseUrl = withoutEndSlashes(options.baseUrl ?? '');
  const context: Context = {
    client: client ?? createUploadClient(clientOptions),
    http: createHttp(baseUrl, fetch, options.headers),
    fetch,
    baseUrl,
    options,
  };
  const read: ReadFile = (id, load, error, progress, abort) => readFile(context, id, { load, error, progress, abort });
  return {
    process: (_fieldName, file, metadata, load, error, progress, abort) =>
      send(context, file, metadata, { load, error, progress, abort }),
    revert: (id, load, error) => {
      void remove(context.http, id).then(load, (reason: unknown) => error(wordsOf(reason)));
    },
    restore: read,
    load: read,
  };
}

/** The callbacks of FilePond for one file. */
interface Callbacks<T> {
  readonly load: (value: T) => void;
  readonly error: (message: string) => void;
  readonly progress: ShowProgress;
  readonly abort: () => void;
}

function send(
  { client, options }: Context,
  file: Blob,
  metadata: Readonly<Record<string, unknown>>,
  callbacks: Callbacks<string>,
): Abortable {
  /** FilePond must not be called after the end of a file. */
  let isOver = false;
  const end = (report: () => void): void => {
    if (isOver) return;
    isOver = true;
    report();
  };
  const processorOptions = options.optionsOf?.(file, metadata);
  const upload = client.upload(file, {
    ...(processorOptions === undefined ? {} : { options: processorOptions }),
    onProgress({ percent, state, final }) {
      if (isOver) return;
      callbacks.progress(true, percent, 100);
      if (options.doneWhen === 'stored' && state !== 'receiving' && !final) end(() => callbacks.load(upload.id));
    },
  });
  upload.result.then(
    ({ id }) => end(() => callbacks.load(id)),
    (error: unknown) => end(() => callbacks.error(wordsOf(error))),
  );
  return {
    abort() {
      end(callbacks.abort);
      void upload.cancel();
    },
  };
}

async function remove(http: Http, id: string): Promise<void> {
  try {
    await http.headers(`/uploads/${encodeURIComponent(id)}`, { method: 'DELETE' });
  } catch (error) {
    if (!isDeleted(asUploadError(error).problem)) throw error;
  }
}

function readFile(context: Context, id: string, callbacks: Callbacks<File>): Abortable {
  const aborting = new AbortController();
  const { signal } = aborting;
  const progress: ShowProgress = (...loaded) => signal.aborted || callbacks.progress(...loaded);
  download(context, id, progress, signal).then(
    (file) => signal.aborted || callbacks.load(file),
    (error: unknown) => signal.aborted || callbacks.error(wordsOf(error)),
  );
  return {
    abort() {
      aborting.abort();
      callbacks.abort();
    },
  };
}

async function download(context: Context, id: string, progress: ShowProgress, signal: AbortSignal): Promise<File> {
  const path = `/uploads/${encodeURIComponent(id)}`;
  const { file }: Upload = await context.http.request(path, isUpload, { signal });
  const url = `${context.baseUrl}${path}/content`;
  const init = { headers: await readHeaders(context.options.headers ?? {}), signal };
  const parts = await readContent(context.fetch, url, init, (loaded) => progress(true, loaded, file.size));
  return new File(parts, file.name, { type: file.type ?? '' });
}

/** Returns the detail of the server's problem, for the label of the file. */
function wordsOf(error: unknown): string {
  const { problem }: UploadError = asUploadError(error);
  return problem.detail;
}
