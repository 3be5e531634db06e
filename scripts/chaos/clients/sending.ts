import type { UploadState } from '../../../src/wire/documents.ts';
import type { Caller } from './caller.ts';
import type { ClientLog } from './client-log.ts';

/** One file on its way to the service, as its client sees it. */
export interface Sending {
  readonly bytes: Buffer;
  readonly pieces: number;
  readonly caller: Caller;
  readonly clientLog: ClientLog;
  /** Undefined until it is known. */
  id: string | undefined;
  /** Requests that were sent and never answered: each may still arrive. */
  unanswered: number;
  /** The client has changed its mind and sends no more. */
  isCalledOff: boolean;
}

/** What the service answers where it tells of an upload. */
export interface ReportedUpload {
  id: string;
  state: UploadState;
}

/** Undefined for what is no upload. */
export function reportedUpload(body: unknown): ReportedUpload | undefined {
  if (typeof body !== 'object' || body === null || !('id' in body) || !('state' in body)) return undefined;
  return typeof body.id === 'string' ? { id: body.id, state: body.state as UploadState } : undefined;
}
