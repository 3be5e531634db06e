import { randomUUID } from 'node:crypto';
import { openCaller } from '../../access/caller.ts';
import { ServiceError, type ErrorCode } from '../../errors.ts';
import { Admission } from '../../intake/admission.ts';
import { IncomingUpload, type IntakeParts } from '../../intake/incoming-upload.ts';
import { byteLimit } from '../../intake/ticket-rules.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import type { Subscribe } from '../../record/record-subscription.ts';
import { isDependencyFault } from '../../storage/dependency-fault.ts';
import type { Logger } from '../../telemetry/log.ts';
import { decodeTraceContext } from '../../telemetry/trace-context.ts';
import { NO_SPAN, uploadAttribute, type Span, type Tracing } from '../../telemetry/tracing.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import type { ImportAddresses } from './import-url.ts';
import { chunksOf, openSource, type ImportSource } from './open-source.ts';

/** The parts that fetching needs. */
export interface FetchParts extends Omit<IntakeParts, 'admission' | 'listen'> {
  addresses: ImportAddresses;
  maxFileBytes: number;
  stallMs: number;
  /** Longest time for one file. */
  timeoutMs: number;
  /** Default: no spans. */
  tracing?: Tracing | undefined;
  log: Logger;
}

/** The parameters with which one job is run. */
export interface FetchRun {
  /** Calls back when the upload is cancelled or deleted. Returns the release. */
  onCancel: (id: string, cancelled: () => void) => () => void;
  /** Fires if the process stops. */
  stopping: AbortSignal;
  /** True if nobody tries again after a fault of the service. */
  isLastTry: boolean;
}

/** The upload was not fetched now, but will be later. */
export class FetchPutOffError extends Error {}

/**
 * The import was admitted when it was created, so no limit of the queue applies. The limits of its tenant do.
 */
const ADMITTED = new Admission({
  bounds: { capacity: 1_000_000_000, overflow: 'reject', capacityPerAddress: 0 },
  backlog: { read: () => Promise.reject(new Error('not measured here')) },
  onRejected: () => undefined,
  onDiscarded: () => undefined,
});

/**
 * Fetches the bytes of an upload and queues it. A second call for the same upload fences the first one, and begins at
 * the first byte. An upload whose file cannot be fetched or is rejected fails. Throws `FetchPutOffError` if the process
 * stops, and the fault if the storage or Redis does not work and another try follows.
 */
export async function fetchImport(parts: FetchParts, id: string, run: FetchRun): Promise<void> {
  const begun = await parts.records.roads.beginFetch(id, randomUUID());
  const { record } = begun;
  if (record === undefined || record.road?.name !== 'import') return;
  if (!begun.applied && begun.rejection !== 'exhausted') return;
  const span = beginImportSpan(parts, record);
  try {
    await span.run(() => fetchBegun(parts, { record, isExhausted: !begun.applied, span }, run));
  } finally {
    span.end();
  }
}

/** Opens a span in the trace of the request that created the import. */
function beginImportSpan({ tracing }: FetchParts, { id, trace, fetches }: UploadRecord): Span {
  if (tracing === undefined) return NO_SPAN;
  const attributes = { ...uploadAttribute(id), 'deferred_uploads.attempt': fetches };
  return tracing.begin('import', decodeTraceContext(trace), { role: 'consumer', attributes });
}

/** An import whose fetch was begun. `isExhausted`: it was begun too often, so it must end. */
interface BegunImport {
  readonly record: UploadRecord;
  readonly isExhausted: boolean;
  readonly span: Span;
}

async function fetchBegun(parts: FetchParts, { record, isExhausted, span }: BegunImport, run: FetchRun): Promise<void> {
  const { id } = record;
  const log = parts.log.child({ attempt: record.fetches });
  const intake = { ...parts, admission: ADMITTED, listen: listenVia(run) };
  let totalBytes: number | null = null;
  const upload = IncomingUpload.begun(
    intake,
    // Logs contain the id of the request, so it must not be that of the upload.
    { id: record.requestId ?? uploadRef(id), address: '', caller: openCaller, log, span },
    record,
    (bytes) => parts.records.receive(id, record.fencingToken, bytes, totalBytes),
  );
  try {
    if (isExhausted) throw new ServiceError('internal_error', 'The file could not be fetched. Import it again.');
    await withDeadline(
      parts,
      run,
      async (signal, cancel) => {
        const source = await openSource(record.road?.name === 'import' ? record.road.url : '', { ...parts, signal });
        signal.addEventListener('abort', () => source.body.destroy(asError(signal.reason)), { once: true });
        totalBytes = source.totalBytes;
        await announce(parts, record, source);
        const chunks = chunksOf(source, parts.stallMs);
        await upload.receive(chunks, record.options, parts.maxFileBytes, { onRejected: cancel });
      },
      id,
    );
    await upload.enqueue();
  } catch (error) {
    if (!(error instanceof FetchPutOffError)) span.fail(error);
    await endAfterError(upload, error, run, log);
  }
}

async function withDeadline(
  { timeoutMs }: FetchParts,
  { stopping, onCancel }: FetchRun,
  work: (signal: AbortSignal, cancel: (reason: ServiceError) => void) => Promise<void>,
  id: string,
): Promise<void> {
  const controller = new AbortController();
  const late = new ServiceError('import_failed', `The file did not arrive within ${timeoutMs} ms. Import it again.`);
  const timer = setTimeout(() => controller.abort(late), timeoutMs);
  const stop = (): void => controller.abort(new FetchPutOffError('the process stops'));
  if (stopping.aborted) stop();
  stopping.addEventListener('abort', stop);
  const cancelled = new ServiceError('upload_cancelled', 'The upload was cancelled.', { id, state: 'cancelled' });
  const release = onCancel(id, () => controller.abort(cancelled));
  try {
    await work(controller.signal, (reason) => controller.abort(reason));
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', stop);
    release();
  }
}

/** Checks the announced size before a byte is read. */
async function announce(
  { records, maxFileBytes }: FetchParts,
  { id, fencingToken, allowed }: UploadRecord,
  { body, totalBytes }: ImportSource,
): Promise<void> {
  if (totalBytes === null) return;
  const limit = byteLimit(maxFileBytes, allowed);
  try {
    if (totalBytes > limit.maxBytes) throw limit.tooLarge();
    const outcome = await records.announceTotal(id, fencingToken, totalBytes);
    if (!outcome.applied && outcome.limit !== undefined) throw await ADMITTED.limitRejection(outcome.limit);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

const ENDED_ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['upload_cancelled', 'upload_discarded', 'upload_superseded']);

/** Ends the upload after an error that no other try can repair. */
async function endAfterError(upload: IncomingUpload, error: unknown, run: FetchRun, log: Logger): Promise<void> {
  if (error instanceof FetchPutOffError) throw error;
  // The upload has ended, or another worker fetches it.
  if (error instanceof ServiceError && ENDED_ELSEWHERE.has(error.code)) return;
  const isFault = !(error instanceof ServiceError) || isDependencyFault(error);
  if (isFault && !run.isLastTry) {
    log.warn({ err: error, upload: uploadRef(upload.record.id) }, 'import not finished, will be retried');
    throw error;
  }
  const reason =
    error instanceof ServiceError && !isFault
      ? error
      : new ServiceError('internal_error', 'The server could not store the file. Import it again later.', {
          cause: error,
        });
  await upload.reject(reason);
}

/** Reads the record of an upload when the worker is notified of its cancel. */
function listenVia({ onCancel }: FetchRun): Subscribe {
  return (observer) => {
    const releases = observer.ids.map((id) => onCancel(id, () => void observer.read([id], undefined)));
    return () => releases.forEach((release) => release());
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
