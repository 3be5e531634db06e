import type {
  CompletedUpload,
  FollowOptions,
  Progress,
  Upload,
  UploadClient,
  UploadHandle,
  UploadOptions,
} from '../../../src/client/client.d.ts';
import { clientError, UploadError } from '../../../src/client/upload-error.ts';
import { ProgressFeed } from '../../../src/client/progress-feed.ts';
import { withResolvers } from '../../../src/client/with-resolvers.ts';
import { completedUpload, freshProgress, freshUpload, problem } from '../client/documents.ts';

/** An upload of a fake client. A test changes its state. */
export interface FakeUpload {
  readonly id: string;
  /** Undefined if the upload is only watched. */
  readonly file: Blob | undefined;
  readonly options: UploadOptions;
  readonly handle: UploadHandle;
  isCancelled: boolean;
  move(patch: Partial<Progress>): void;
  complete(): Upload;
  fail(code: string, detail: string): void;
}

/** Creates a client without a service. `uploads` has all uploads in their order. */
export function createFakeClient(): UploadClient & { readonly uploads: FakeUpload[] } {
  const uploads: FakeUpload[] = [];
  const start = (id: string, file: Blob | undefined, options: UploadOptions): UploadHandle => {
    const upload = createFakeUpload(id, file, options);
    uploads.push(upload);
    return upload.handle;
  };
  return {
    uploads,
    upload: (file, options = {}) => start(options.id ?? `upload-${uploads.length + 1}`, file, options),
    watch: (id, options: FollowOptions = {}) =>
      uploads.find((upload) => upload.id === id)?.handle ?? start(id, undefined, options),
    limits: () => Promise.reject(clientError('unexpected_answer')),
    url: (link) => link,
    wake: () => undefined,
    close: () => undefined,
  };
}

function createFakeUpload(id: string, file: Blob | undefined, options: UploadOptions): FakeUpload {
  const feed = new ProgressFeed(options.onProgress);
  const outcome = withResolvers<CompletedUpload>();
  outcome.promise.catch(() => undefined);
  let phase: UploadHandle['phase'] = 'waiting';
  const enter = (next: UploadHandle['phase']): void => {
    phase = next;
    options.onPhase?.(next);
  };
  const end = (): void => {
    feed.end();
    enter('over');
  };
  const fail = (error: UploadError): void => {
    outcome.reject(error);
    end();
  };
  let version = 0;
  const upload: FakeUpload = {
    id,
    file,
    options,
    isCancelled: false,
    handle: {
      id,
      get phase() {
        return phase;
      },
      progress: feed,
      result: outcome.promise,
      async cancel() {
        upload.isCancelled = true;
        fail(clientError('upload_cancelled'));
      },
      pause() {
        enter('paused');
        return true;
      },
      resume() {
        enter('sending');
        return true;
      },
      retry: () => null,
      delete: () => upload.handle.cancel(),
    },
    move(patch) {
      version += 1;
      if (phase === 'waiting') enter('sending');
      feed.push(freshProgress(id, { version, ...patch }));
    },
    complete() {
      upload.move({ state: 'completed', percent: 100, final: true });
      const done = completedUpload({
        ...freshUpload(id),
        state: 'completed',
        progress: freshProgress(id, { version, state: 'completed', percent: 100, final: true }),
      });
      outcome.resolve(done);
      end();
      return done;
    },
    fail: (code, detail) => fail(new UploadError(problem(code, 422, detail))),
  };
  return upload;
}
