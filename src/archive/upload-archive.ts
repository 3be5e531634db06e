import { ServiceError } from '../errors.ts';
import type { Transfers } from '../http/transfers.ts';
import { followStoredBytes, type FollowParts } from '../record/follow-bytes.ts';
import type { Storage } from '../storage/storage.ts';
import type { ArchiveFile } from './archive-files.ts';
import { zipSizeOf, zipStream, type ZipFile } from './zip-stream.ts';

/** The storage and the records from which an archive is read. */
export interface ArchiveSources extends FollowParts {
  storage: Pick<Storage, 'read'>;
  transfers: Transfers;
}

/** An archive that is read from the storage while it is sent. */
interface UploadArchive {
  readonly sizeBytes: number;
  /** Ends with an error if a file is deleted meanwhile. */
  chunks(): AsyncGenerator<Buffer, void, void>;
}

/** Makes an archive. Nothing is read before `chunks` is iterated. */
export function uploadArchive(sources: ArchiveSources, files: readonly ArchiveFile[]): UploadArchive {
  const zipFiles = files.map((file): ZipFile => ({ ...file, open: () => readFile(sources, file) }));
  const sizeBytes = zipSizeOf(zipFiles);
  if (sizeBytes === undefined) throw new Error('a file of the archive has no size');
  return { sizeBytes, chunks: () => zipStream(zipFiles) };
}

async function* readFile(sources: ArchiveSources, { uploadId, key }: ArchiveFile): AsyncGenerator<Buffer, void, void> {
  const stream = await sources.storage.read(key);
  if (stream === undefined) throw gone(uploadId);
  const cut = (): void => void stream.destroy(gone(uploadId));
  const release = sources.transfers.enter(uploadId, cut);
  const endFollowing = followStoredBytes(sources, uploadId, cut);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    release();
    endFollowing();
    stream.destroy();
  }
}

function gone(id: string): ServiceError {
  return new ServiceError('upload_gone', 'This upload was deleted. Leave it out of the archive.', { id });
}
