import type { RequestScope } from '../http/request-scope.ts';
import type { StoredUpload } from '../record/open-record.ts';
import type { ChangeOutcome } from '../record/change-outcome.ts';
import { tracedStorage } from '../storage/traced-storage.ts';
import { inSpan, positionText, uploadAttribute } from '../telemetry/tracing.ts';
import type { ReceiveParts } from './receive.ts';

/**
 * Receives a file in a span below that of the request. `receive` gets the parts for it, whose storage has spans below
 * that one.
 */
export async function receiveInSpan(
  parts: ReceiveParts,
  scope: Pick<RequestScope, 'span'>,
  uploadId: string,
  receive: (parts: ReceiveParts) => Promise<StoredUpload>,
): Promise<StoredUpload> {
  return await inSpan(
    scope.span,
    'receive',
    async (span) => {
      const traced = { ...parts, storage: tracedStorage(parts.storage, span) };
      const stored = await receive(traced);
      span.set({ 'deferred_uploads.type': stored.type, 'deferred_uploads.size_bytes': stored.sizeBytes });
      return stored;
    },
    () => ({ attributes: uploadAttribute(uploadId) }),
  );
}

/**
 * Queues a stored upload for its request, in a span below that of the request. `queue` gets the facts of the request
 * that the record keeps: its id, and the position of this span, so that the spans of workers and webhooks join the
 * trace.
 */
export async function enqueueInSpan(
  { id: requestId, span: requestSpan }: Pick<RequestScope, 'id' | 'span'>,
  uploadId: string,
  stored: StoredUpload,
  queue: (stored: StoredUpload) => Promise<ChangeOutcome>,
): Promise<ChangeOutcome> {
  return await inSpan(
    requestSpan,
    'enqueue',
    async (span) => {
      const outcome = await queue({ ...stored, requestId, trace: positionText(span) });
      if (!outcome.applied) span.set({ 'deferred_uploads.rejection': outcome.rejection });
      return outcome;
    },
    () => ({ role: 'producer', attributes: uploadAttribute(uploadId) }),
  );
}
