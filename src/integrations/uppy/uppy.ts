import { BasePlugin, type Body, type Meta, type PluginOpts, type Uppy, type UppyFile } from '@uppy/core';
import type { Progress, Upload, UploadClient, UploadHandle } from '../../client/client.d.ts';
import { createUploadClient } from '../../client/upload-client.ts';
import { type Resolvers, withResolvers } from '../../client/with-resolvers.ts';
import { percentOf, totalPercent } from './percents.ts';
import { uploadIdOf } from './upload-id-of.ts';

// Users of the built module have no other place to import it from.
export { awsS3 } from './aws-s3.ts';

/** Options of the plugin. Without `client` it creates one for `baseUrl`. */
export interface DeferredUploadsOptions extends PluginOpts {
  /** Address of the service, such as `https://uploads.example`. Default: the origin of the page. */
  baseUrl?: string;
  /** A client that the application already has. The plugin does not close it. */
  client?: UploadClient;
}

/** A file whose bytes the service has, until its outcome is known. */
interface Watched {
  readonly handle: UploadHandle;
  readonly ended: Resolvers<void>;
  progress: Progress | undefined;
}

const LOCALE = {
  strings: {
    uploaded: 'Uploaded',
    waiting: 'Waiting: number %{position} in the queue',
    processing: 'Processing: %{stage}',
    noUpload: 'The answer names no upload. Check that the endpoint belongs to the upload service.',
  },
};

/**
 * Uppy plugin: a file is complete when it is processed, not when its bytes are sent. Needs an uploader, such as
 * XHRUpload to `/uploads` or Tus to `/files`.
 */
export class DeferredUploads<M extends Meta, B extends Body> extends BasePlugin<DeferredUploadsOptions, M, B> {
  readonly #client: UploadClient;
  readonly #watched = new Map<string, Watched>();
  #isPublishing = false;

  constructor(uppy: Uppy<M, B>, options: DeferredUploadsOptions = {}) {
    super(uppy, options);
    this.id = options.id ?? 'DeferredUploads';
    this.type = 'modifier';
    this.defaultLocale = LOCALE;
    this.i18nInit();
    const { baseUrl, client } = options;
    this.#client = client ?? createUploadClient(baseUrl === undefined ? {} : { baseUrl });
  }

  override install(): void {
    this.uppy.addPostProcessor(this.#postProcess);
    this.uppy.on('upload-progress', this.#sent);
    this.uppy.on('upload-success', this.#uploaded);
    this.uppy.on('file-removed', this.#removed);
    this.uppy.on('restored', this.#restored);
    this.uppy.on('state-update', this.#keepTotal);
  }

  override uninstall(): void {
    this.uppy.removePostProcessor(this.#postProcess);
    this.uppy.off('upload-progress', this.#sent);
    this.uppy.off('upload-success', this.#uploaded);
    this.uppy.off('file-removed', this.#removed);
    this.uppy.off('restored', this.#restored);
    this.uppy.off('state-update', this.#keepTotal);
    for (const { ended } of this.#watched.values()) ended.resolve();
    this.#watched.clear();
    if (!this.opts.client) this.#client.close();
  }

  /** Uppy calls it when all files of a batch are sent. Each file is already watched since its own last byte. */
  readonly #postProcess = async (fileIds: string[]): Promise<void> => {
    await Promise.all(fileIds.map((fileId) => this.#watch(this.uppy.getFile(fileId))));
  };

  readonly #sent = (file: UppyFile<M, B> | undefined): void => {
    if (file) this.#setPercent(file.id);
  };

  readonly #uploaded = (sent: UppyFile<M, B> | undefined): void => {
    const file = sent && this.uppy.getFile(sent.id);
    if (!file) return;
    // A retry of a restored file keeps the progress of the failed attempt.
    const { complete: _complete, ...progress } = file.progress;
    this.uppy.setFileState(file.id, { progress });
    void this.#watch(this.uppy.getFile(file.id));
  };

  /** Continues after a reload. Otherwise files would wait until the user confirms the restored session. */
  readonly #restored = (): void => {
    for (const file of this.uppy.getFiles()) {
      if (file.progress.uploadComplete && uploadIdOf(file) !== undefined) void this.#watch(file);
    }
  };

  /** Called for each removed file, also by `cancelAll`. */
  readonly #removed = (file: UppyFile<M, B>): void => {
    const watched = this.#watched.get(file.id);
    if (!watched) return;
    this.#forget(file.id, watched);
    void watched.handle.cancel();
    this.#delayError();
  };

  /** Replaces Uppy's own total, which reaches 100 % with the last sent byte. */
  readonly #keepTotal = (_previous: unknown, _next: unknown, patch?: { totalProgress?: number }): void => {
    if (patch?.totalProgress === undefined) return;
    const total = this.#total();
    if (total === undefined || Math.floor(total) === patch.totalProgress) return;
    this.#setTotal(total);
    // Uppy is in the middle of its own update, which user interfaces receive after this one.
    this.#publishSoon();
  };

  /** Resolves when the outcome of the file is known, or the file is removed. */
  #watch(file: UppyFile<M, B> | undefined): Promise<void> {
    if (!file || file.error || file.progress.complete) return Promise.resolve();
    const id = uploadIdOf(file);
    const present = this.#watched.get(file.id);
    if (present && present.handle.id === id) return present.ended.promise;
    if (present) this.#forget(file.id, present);
    if (id === undefined) {
      this.#fail(file.id, new Error(this.i18n('noUpload')));
      return Promise.resolve();
    }
    const watched: Watched = { handle: this.#client.watch(id), ended: withResolvers<void>(), progress: undefined };
    this.#watched.set(file.id, watched);
    this.#publishSoon();
    void this.#follow(file.id, watched);
    return watched.ended.promise;
  }

  async #follow(fileId: string, watched: Watched): Promise<void> {
    try {
      for await (const progress of watched.handle.progress) {
        watched.progress = progress;
        if (!progress.final) this.#publishSoon();
      }
      const upload = await watched.handle.result;
      if (this.#forget(fileId, watched)) this.#complete(fileId, upload);
    } catch (error) {
      if (this.#forget(fileId, watched)) this.#fail(fileId, error instanceof Error ? error : new Error(String(error)));
    } finally {
      watched.ended.resolve();
    }
  }

  /** Returns false if the file has been removed or sent again since. */
  #forget(fileId: string, watched: Watched): boolean {
    watched.ended.resolve();
    return this.#watched.get(fileId) === watched && this.#watched.delete(fileId);
  }

  #complete(fileId: string, { result }: Upload): void {
    const response = this.uppy.getFile(fileId)?.response;
    const body = Object.assign({}, response?.body, { result });
    if (this.uppy.getFile(fileId)) this.uppy.setFileState(fileId, { response: { status: 200, ...response, body } });
    this.#end(fileId);
  }

  #fail(fileId: string, error: Error): void {
    const file = this.uppy.getFile(fileId);
    // Uppy replaces `response` by the third argument.
    if (file) this.uppy.emit('upload-error', file, error, file.response);
    this.#end(fileId);
  }

  #end(fileId: string): void {
    if (!this.uppy.getFile(fileId)) return;
    this.uppy.emit('postprocess-complete', this.uppy.getFile(fileId));
    this.#setPercent(fileId);
    this.#delayError();
    this.#publishSoon();
  }

  /** Sets the error only when no file is under way, because Uppy's bars show it in place of the progress. */
  #delayError(): void {
    const files = this.uppy.getFiles();
    const failed = files.find(({ error }) => error);
    if (!failed) return;
    const isBusy = files.some(({ progress, error }) => progress.uploadStarted && !progress.complete && !error);
    this.uppy.setState({ error: isBusy ? null : (failed.error ?? null) });
  }

  #setPercent(fileId: string): void {
    const file = this.uppy.getFile(fileId);
    if (!file) return;
    const percentage = Math.floor(percentOf(file, this.#reported(fileId)));
    this.uppy.setFileState(fileId, { progress: { ...file.progress, percentage } });
  }

  /** Publishes in a microtask, because one answer of the service can report many files. */
  #publishSoon(): void {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    queueMicrotask(() => {
      this.#isPublishing = false;
      this.#publish();
    });
  }

  #publish(): void {
    const total = this.#total();
    if (total === undefined) return;
    for (const [fileId, { progress }] of this.#watched) {
      this.#setPercent(fileId);
      // Uppy's bars show the mean value of the files that are not complete. It would go back when a file completes.
      // Uppy rounds it, and 100 % would look finished.
      const postprocess = {
        mode: 'determinate' as const,
        value: Math.floor(total) / 100,
        message: this.#message(progress),
      };
      this.uppy.emit('postprocess-progress', this.uppy.getFile(fileId), postprocess);
    }
    this.#setTotal(total);
  }

  #message(progress: Progress | undefined): string {
    if (!progress || progress.state === 'receiving') return this.i18n('uploaded');
    const { queuePosition, stage } = progress;
    return queuePosition === null
      ? this.i18n('processing', { stage })
      : this.i18n('waiting', { position: queuePosition });
  }

  #reported(fileId: string): number | undefined {
    return this.#watched.get(fileId)?.progress?.percent;
  }

  #total(): number | undefined {
    return totalPercent(this.uppy.getFiles(), (fileId) => this.#reported(fileId));
  }

  #setTotal(total: number): void {
    this.uppy.setState({ totalProgress: Math.floor(total) });
  }
}
