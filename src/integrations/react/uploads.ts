import { resolveLink } from '../../client/resolve-link.ts';
import { createUploadClient } from '../../client/upload-client.ts';
import type { UploadClient } from '../../client/client.d.ts';
import { type ItemContext, type Source, UploadItem } from './upload-item.ts';
import type { SendOptions, UploadsOptions, UploadView } from './upload-view.ts';

/** The uploads of one component. */
export interface Uploads {
  /** Calls the listener after each change, until the returned function is called. */
  subscribe(this: void, listener: () => void): () => void;
  /** Returns the same array until something changes. The newest upload is last. */
  getSnapshot(this: void): readonly UploadView[];
  /** Starts uploads, and returns them. */
  send(this: void, files: Iterable<Blob>, options?: SendOptions): UploadView[];
  /** Follows an upload that was sent earlier, for example before a reload. */
  watch(this: void, id: string, name?: string): UploadView;
  /** Applies options that changed. */
  configure(this: void, options: UploadsOptions): void;
  /** Call it when the component is mounted, and the returned function when it is unmounted. It may be mounted again. */
  mount(this: void): () => void;
}

let pageClient: UploadClient | undefined;

/** Creates the uploads of a component. Starts nothing, so React may call it more often than it needs. */
export function createUploads(firstOptions: UploadsOptions = {}): Uploads {
  const listeners = new Set<() => void>();
  const items = new Set<UploadItem>();
  let options = firstOptions;
  let snapshot: readonly UploadView[] | null = null;
  let mounts = 0;

  const changed = (): void => {
    snapshot = null;
    for (const listener of listeners) listener();
  };
  const context: ItemContext = {
    client: () => options.client ?? (pageClient ??= createUploadClient()),
    url: (link) => (options.baseUrl === undefined ? context.client().url(link) : resolveLink(options.baseUrl, link)),
    changed,
    remove(item) {
      if (items.delete(item)) changed();
    },
  };
  const add = (source: Source): UploadView => {
    const item = new UploadItem(context, source);
    items.add(item);
    changed();
    return item.view;
  };
  /** Cancels unless the component is mounted again, which React does at once in strict mode. */
  const leave = (): void => {
    if (mounts === 0 && options.onUnmount === 'cancel') for (const item of items) item.cancelIfRunning();
  };

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot: () => (snapshot ??= [...items].map(({ view }) => view)),
    send: (files, sendOptions = {}) => Array.from(files, (file) => add({ file, options: sendOptions })),
    watch: (id, name = '') => add({ id, name }),
    configure(newOptions) {
      options = newOptions;
    },
    mount() {
      mounts += 1;
      return () => {
        mounts -= 1;
        queueMicrotask(leave);
      };
    },
  };
}
