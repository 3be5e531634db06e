import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { createUploads, type Uploads } from './uploads.ts';
import type { SendOptions, UploadsOptions, UploadView } from './upload-view.ts';

export type { SendOptions, UploadsOptions, UploadView } from './upload-view.ts';

/** The uploads of a component, and the functions that start them. */
export interface UseUploads {
  /** The newest upload is last. The array stays the same until something changes. */
  readonly uploads: readonly UploadView[];
  /** Starts uploads, and returns them as they are at the start. */
  readonly send: (files: Iterable<Blob>, options?: SendOptions) => UploadView[];
  /** Follows an upload that was sent earlier, for example before a reload. */
  readonly watch: (id: string, name?: string) => UploadView;
}

/** The upload of a component, and the functions that start it. The functions stay the same. */
export interface UseUpload {
  /** Null before `send` and after `reset`. */
  readonly upload: UploadView | null;
  /** Starts an upload. Cancels the present one if it is not over. */
  readonly send: (file: Blob, options?: SendOptions) => UploadView;
  /** Follows an upload that was sent earlier. Cancels the present one if it is not over. */
  readonly watch: (id: string, name?: string) => UploadView;
  /** Cancels the upload if it is not over, and forgets it. */
  readonly reset: () => void;
}

/** Sends and follows any number of uploads. The component is rendered again at each change, until it is unmounted. */
export function useUploads(options: UploadsOptions = {}): UseUploads {
  const [uploads, views] = useStore(options);
  return { uploads: views, send: uploads.send, watch: uploads.watch };
}

/** Sends and follows one upload at a time. */
export function useUpload(options: UploadsOptions = {}): UseUpload {
  const [uploads, views] = useStore(options);
  const methods = useMemo(() => oneOf(uploads), [uploads]);
  return { upload: views.at(-1) ?? null, ...methods };
}

function useStore(options: UploadsOptions): [Uploads, readonly UploadView[]] {
  const [uploads] = useState(() => createUploads(options));
  useEffect(() => uploads.configure(options));
  useEffect(() => uploads.mount(), [uploads]);
  return [uploads, useSyncExternalStore(uploads.subscribe, uploads.getSnapshot, uploads.getSnapshot)];
}

function oneOf({ getSnapshot, send, watch }: Uploads): Pick<UseUpload, 'send' | 'watch' | 'reset'> {
  const reset = (): void => {
    for (const view of getSnapshot()) view.remove();
  };
  return {
    send(file, options) {
      reset();
      const [view] = send([file], options);
      if (view === undefined) throw new Error('unreachable: one file makes one upload');
      return view;
    },
    watch(id, name) {
      reset();
      return watch(id, name);
    },
    reset,
  };
}
