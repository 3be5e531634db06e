import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import { available, type Redis } from '../queue/connection.ts';

/** The part of a BullMQ job that a client may see. */
export interface JobState {
  readonly state: 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';
  /** Changes with every change that a client can see. It is opaque: only compare it. */
  readonly version: string;
  /** The progress, as the processor of the job reported it. */
  readonly progress: unknown;
  /** Null unless completed. */
  readonly returnValue: unknown;
  /** Null unless failed. */
  readonly failedReason: string | null;
}

/** A job. `queueKey` begins the keys of its queue: BullMQ's prefix and the queue's name, without a last colon. */
export interface JobPlace {
  readonly queueKey: string;
  readonly id: string;
}

const FIELDS = ['timestamp', 'progress', 'returnvalue', 'failedReason', 'ats', 'atm'] as const;

/**
 * Reads a job in one round trip. Undefined if it does not exist or was removed. Rejects with `service_unavailable`
 * (503) while Redis is away.
 */
export async function readJob(connection: Redis, { queueKey, id }: JobPlace): Promise<JobState | undefined> {
  const key = `${queueKey}:${id}`;
  const replies = await available(() =>
    connection
      .pipeline()
      .hmget(key, ...FIELDS)
      .zscore(`${queueKey}:completed`, id)
      .zscore(`${queueKey}:failed`, id)
      .zscore(`${queueKey}:delayed`, id)
      .exists(`${key}:lock`)
      .exec(),
  );
  const [fields, completed, failed, delayed, locked] = (replies ?? []).map(([error, reply]) => {
    // An id such as `completed` names a key of the queue itself, which is no job.
    if (error !== null && !error.message.startsWith('WRONGTYPE')) throw unavailable(error);
    return reply;
  });
  // The key `meta` of the queue looks like a job but has no time of creation.
  if (!Array.isArray(fields) || typeof fields[0] !== 'string') return undefined;
  const [, progress = null, returnValue = null, failedReason = null, started = null, createdAt = null] = fields as (
    string | null
  )[];
  if (typeof completed === 'string') return completedJob(returnValue);
  if (typeof failed === 'string') return failedJob(failedReason);
  const state = locked === 1 ? 'active' : typeof delayed === 'string' ? 'delayed' : 'waiting';
  const seen = createHash('sha256')
    .update(progress ?? '')
    .digest('base64url')
    .slice(0, 8);
  const version = `${state}.${started ?? createdAt ?? 0}.${seen}`;
  return { state, version, progress: parsed(progress) ?? 0, returnValue: null, failedReason: null };
}

/** Returns the last state of a job that has ended well. `returnValue` is JSON. */
export function completedJob(returnValue: string | null): JobState {
  return {
    state: 'completed',
    version: 'completed',
    progress: null,
    returnValue: parsed(returnValue),
    failedReason: null,
  };
}

/** Returns the last state of a job whose last attempt has failed. */
export function failedJob(failedReason: string | null): JobState {
  return { state: 'failed', version: 'failed', progress: null, returnValue: null, failedReason };
}

/** True if the job will not change any more by itself. */
export function isOver({ state }: JobState): boolean {
  return state === 'completed' || state === 'failed';
}

/** Parses JSON as BullMQ writes it. If another program has written other text, the text is the value. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unavailable(error: Error): ServiceError {
  return new ServiceError('service_unavailable', 'The queue cannot be read now. Try again shortly.', {
    retryAfterMs: 2000,
    cause: error,
  });
}
