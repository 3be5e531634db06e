import type { RequestScope } from '../http/request-scope.ts';
import type { StoredUpload } from '../record/open-record.ts';
import type { ChangeOutcome, QueueLimits } from '../record/record-change.ts';
import type { UploadRecords } from '../record/record.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { tracedStorage } from '../storage/traced-storage.ts';
import { inSpan, positionText, uploadAttribute } from '../telemetry/tracing.ts';
import { receiveFile, type IncomingFile, type ReceiveParts } from './receive.ts';
import type { ReceiveProgress } from './receive-progress.ts';

/** As `receiveFile`, in a span below that of the request. Calls of the storage have spans below it. */
export async function receiveInSpan(
  parts: ReceiveParts,
  scope: Pick<RequestScope, 'span'>,
  file: IncomingFile,
  progress: ReceiveProgress,
): Promise<StoredUpload> {
  return await inSpan(
    scope.span,
    'receive',
    async (span) => {
      const traced = { ...parts, storage: tracedStorage(parts.storage, span) };
      const stored = await receiveFile(traced, file, progress);
      span.set({ 'deferred_uploads.type': stored.type, 'deferred_uploads.size_bytes': stored.sizeBytes });
      return stored;
    },
    () => ({ attributes: uploadAttribute(file.id) }),
  );
}

/**
 * Queues a stored upload for its request, in a span below that of the request. The record keeps the position of this
 * span, so that the spans of workers and webhooks join the trace.
 */
export async function enqueueInSpan(
  { records }: { records: Pick<UploadRecords, 'enqueue'> },
  { id: requestId, span: requestSpan }: Pick<RequestScope, 'id' | 'span'>,
  { id, fencingToken }: Pick<UploadRecord, 'id' | 'fencingToken'>,
  stored: StoredUpload,
  limits: QueueLimits | undefined,
): Promise<ChangeOutcome> {
  return await inSpan(
    requestSpan,
    'enqueue',
    async (span) => {
      const trace = positionText(span);
      const outcome = await records.enqueue(id, fencingToken, { ...stored, requestId, trace }, limits);
      if (!outcome.applied) span.set({ 'deferred_uploads.rejection': outcome.rejection });
      return outcome;
    },
    () => ({ role: 'producer', attributes: uploadAttribute(id) }),
  );
}
