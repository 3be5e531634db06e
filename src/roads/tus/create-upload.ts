import { Upload } from '@tus/server';
import type { RequestScope } from '../../http/request-scope.ts';
import type { UploadMetadata } from '../../record/record-fields.ts';
import { TusStore, type TusStoreParts } from './tus-store.ts';

/** A resumable upload that is created. */
interface AnnouncedUpload {
  id: string;
  metadata: UploadMetadata;
  /** Size of the file. Undefined if it is not known yet. */
  sizeBytes?: number | undefined;
}

/** Creates a resumable upload for another protocol. Throws as `TusStore.create` does. */
export async function createUpload(
  parts: TusStoreParts,
  scope: RequestScope,
  { id, metadata, sizeBytes }: AnnouncedUpload,
): Promise<void> {
  const size = sizeBytes === undefined ? {} : { size: sizeBytes };
  await new TusStore(parts, scope).create(new Upload({ id, offset: 0, ...size, metadata: { ...metadata } }));
}
