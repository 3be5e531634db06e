import type { UploadState } from '../../../src/wire/documents.ts';
import type { Caller } from './caller.ts';
import type { Diary } from './diary.ts';

/** One file on its way to the service, as its client sees it. */
export interface Sending {
  readonly bytes: Buffer;
  readonly pieces: number;
  readonly caller: Caller;
  readonly diary: Diary;
  /** Undefined until it is known. */
  id: string | undefined;
  /** Requests that were sent and never answered: each may still arrive. */
  unanswered: number;
  /** The client has changed its mind and sends no more. */
  isCalledOff: boolean;
}

/** What the service answers where it tells of an upload. */
export interface ToldUpload {
  id: string;
  state: UploadState;
}

/** Undefined for what is no upload. */
export function toldUpload(body: unknown): ToldUpload | undefined {
  if (typeof body !== 'object' || body === null || !('id' in body) || !('state' in body)) return undefined;
  return typeof body.id === 'string' ? { id: body.id, state: body.state as UploadState } : undefined;
}
