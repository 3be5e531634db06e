import type { UploadState } from '../../../src/wire/documents.ts';
import type { Caller } from './caller.ts';
import type { ClientLog } from './client-log.ts';

/** A file that a client is sending. */
export interface Sending {
  readonly bytes: Buffer;
  readonly pieces: number;
  readonly caller: Caller;
  readonly clientLog: ClientLog;
  /** The id of the upload; undefined until it is known. */
  id: string | undefined;
  /** The number of requests without an answer. Each may still arrive. */
  unanswered: number;
  /** True if the client has stopped and sends no more. */
  isCalledOff: boolean;
}

/** The part of an Upload document that clients read. */
export interface ReportedUpload {
  id: string;
  state: UploadState;
}

/** Returns undefined if the body is not an Upload. */
export function reportedUpload(body: unknown): ReportedUpload | undefined {
  if (typeof body !== 'object' || body === null || !('id' in body) || !('state' in body)) return undefined;
  return typeof body.id === 'string' ? { id: body.id, state: body.state as UploadState } : undefined;
}
