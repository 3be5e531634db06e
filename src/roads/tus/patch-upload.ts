import type { IncomingMessage } from 'node:http';
import type { RequestScope } from '../../http/request-scope.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import { keptBody, reasonOf } from './kept-body.ts';
import { DRAIN_MS, lockUpload, type LockParts } from './lock-upload.ts';
import { tusError } from './tus-errors.ts';
import type { TusStore } from './tus-store.ts';

/** A request that appends bytes. */
interface PatchRequest {
  scope: RequestScope;
  request: IncomingMessage;
  id: string;
  /** Fires if the client disconnects. */
  gone: AbortSignal;
  /** Fires if the body has to end, for example because it stalls. */
  ended: AbortSignal;
}

/** The facts that the answer to the client contains. */
interface PatchedUpload {
  offset: number;
  /** Undefined after the last byte. */
  expiresAt: Date | undefined;
}

/**
 * Appends the body of a PATCH (tus 1.0, "PATCH"). A body that breaks, stalls or is ended at shutdown is treated like a
 * complete one. @tus/server is not used here, because it passes each byte through four streams. Throws `bad_request`
 * (400) for malformed headers, `offset_conflict` (409), `file_too_large` (413) for more bytes than announced, which
 * keeps the upload, `upload_locked` (423), and as the methods of the store do.
 */
export async function patchUpload(parts: LockParts, store: TusStore, asked: PatchRequest): Promise<PatchedUpload> {
  const { scope, request, id, gone } = asked;
  const offset = wholeNumber(request, 'upload-offset');
  if (offset === undefined) throw tusError(400, 'Upload-Offset header required');
  const announced = wholeNumber(request, 'upload-length');
  return await lockUpload(parts, { scope, id, gone, drainMs: DRAIN_MS }, async (wanted) => {
    const upload = await store.getUpload(id);
    const expiresAtMs = Date.parse(upload.creation_date ?? '') + store.getExpiration();
    if (Date.now() > expiresAtMs) throw tusError(410, '');
    if (upload.offset !== offset) throw tusError(409, '');
    if (announced !== undefined) {
      if (upload.size !== undefined || announced < offset)
        throw tusError(400, 'Upload-Length or Upload-Defer-Length header required');
      await store.declareUploadLength(id, announced);
      upload.size = announced;
    }
    const newOffset = await appendBody(store, { ...asked, offset, totalBytes: upload.size }, wanted);
    const isOpen = newOffset !== upload.size && Number.isFinite(expiresAtMs);
    return { offset: newOffset, expiresAt: isOpen ? new Date(expiresAtMs) : undefined };
  });
}

interface OpenPatch extends PatchRequest {
  offset: number;
  /** Size of the file. Undefined if it is not known yet. */
  totalBytes: number | undefined;
}

async function appendBody(store: TusStore, asked: OpenPatch, wanted: AbortSignal): Promise<number> {
  const { scope, request, id, offset, totalBytes = Number.MAX_SAFE_INTEGER, ended } = asked;
  const tooLong = () => new BodyTooLongError();
  const mostBytes = totalBytes - offset;
  if ((wholeNumber(request, 'content-length') ?? 0) > mostBytes) throw tusError(413, '');
  if (wanted.aborted) throw tusError(400, 'Request aborted');
  const onBroken = (error: unknown) =>
    scope.log.info({ upload: uploadRef(id), reason: reasonOf(error) }, 'body ended early, bytes stored');
  const either = AbortSignal.any([ended, wanted]);
  const body = (rejected: AbortSignal) => keptBody(request, { ended: either, rejected, mostBytes, tooLong, onBroken });
  try {
    return await store.append(id, offset, body);
  } catch (error) {
    // The file is not at fault, so this error does not end the upload.
    throw error instanceof BodyTooLongError ? tusError(413, '') : error;
  }
}

class BodyTooLongError extends Error {}

/** Undefined without the header. Throws `bad_request` (400) for a header that is no whole number or appears twice. */
function wholeNumber({ headers }: IncomingMessage, name: string): number | undefined {
  const text = headers[name]?.toString();
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw tusError(400, `Invalid ${name}`);
}
