import { randomUUID } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { wasNotExecuted } from '../queue/connection.ts';
import { newPublicId, type StoredUpload, type WholeUpload } from '../record/open-record.ts';
import { ownerOfCaller } from '../record/ownership.ts';
import type { ReadRecord } from '../record/read-record.ts';
import { manifestObject, removeStored } from '../storage/manifest.ts';
import { tracedStorage } from '../storage/traced-storage.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';
import type { SentDigest } from './body-digests.ts';
import type { FileAnnouncement, IntakeParts } from './incoming-upload.ts';
import { enqueueInSpan, receiveInSpan } from './intake-spans.ts';
import { afterQueued, queued } from './queued-upload.ts';
import { receiveWhole } from './receive.ts';

/** A file whose bytes are all in memory. */
export interface SmallFile extends ReceiveHooks {
  readonly announced: FileAnnouncement;
  readonly chunks: readonly Buffer[];
  readonly options: unknown;
  readonly maxBytes: number;
  readonly digests?: readonly SentDigest[];
  /** As in `WholeUpload`: true if this request has made the id. */
  readonly hasFreshId?: boolean;
}

/** Functions that notify a route of its upload while the bytes are received. */
export interface ReceiveHooks {
  /** Called with the id of an upload before it is queued, if it is queued in one step. */
  readonly beforeQueued?: ((id: string) => void) | undefined;
}

/** The version of a record that is created with a stored file. */
const FIRST_VERSION = 1;

/**
 * Stores a small file, and then creates its record and queues it in one step. The record is never in state `receiving`.
 * Returns undefined if the file, a limit, an existing record or the storage does not allow it. Nothing is left then,
 * and the caller takes the usual way, which finds the same reason and writes it to the record. Rejects if Redis does
 * not respond: the upload may be queued then, so its files stay.
 */
export async function acceptSmall(
  parts: IntakeParts,
  scope: RequestScope,
  file: SmallFile,
): Promise<ReadRecord | undefined> {
  const { announced } = file;
  const upload: WholeUpload = {
    id: announced.id,
    fileName: announced.fileName,
    fencingToken: randomUUID(),
    publicId: newPublicId(),
    createdAtMs: parts.records.nowMs(),
    caller: scope.caller,
    hasFreshId: file.hasFreshId === true,
  };
  const stored = await store(parts, scope, file, upload);
  if (stored === undefined) return undefined;
  file.beforeQueued?.(upload.id);
  const { admission, records } = parts;
  const limits = admission.queueLimits(scope.address);
  const remove = () => removeStored(tracedStorage(parts.storage, scope.span), upload.id, upload.fencingToken);
  const outcome = await enqueueInSpan(scope, upload.id, stored, (queuing) =>
    records.accept(upload, queuing, limits, admission.recordBounds(scope.address)),
  ).catch(async (error: unknown) => {
    admission.notAnswered();
    if (wasNotExecuted(error)) await remove();
    throw error;
  });
  const { record } = outcome;
  if (outcome.applied && record !== undefined) return await afterQueued(parts, scope, record, stored, outcome);
  // The reconciliation scan has found the stored file first.
  if (record?.fencingToken === upload.fencingToken && record.stored) return queued(record, outcome);
  scope.log.debug({ upload: uploadRef(upload.id) }, 'small file not queued in one step');
  await remove();
  return undefined;
}

async function store(
  parts: IntakeParts,
  scope: RequestScope,
  { chunks, options, maxBytes, digests = [] }: SmallFile,
  { id, fencingToken, publicId, fileName, createdAtMs }: WholeUpload,
): Promise<StoredUpload | undefined> {
  const createdAt = new Date(createdAtMs).toISOString();
  const owner = ownerOfCaller(scope.caller);
  const fixed = { id, fencingToken, publicId, name: fileName, createdAt, sequence: FIRST_VERSION };
  const incoming = {
    id,
    fencingToken,
    chunks,
    options,
    maxBytes,
    allowed: scope.caller.ticket ?? null,
    digests,
    manifestOf: (stored: StoredUpload) => manifestObject({ ...fixed, ...owner, ...stored }),
  };
  try {
    return await receiveInSpan(parts, scope, id, (traced) => receiveWhole(traced, incoming));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    scope.log.debug({ upload: uploadRef(id), code: error.code }, 'small file not stored in one step');
    return undefined;
  }
}
