import { every } from '../telemetry/shared-timer.ts';
import type { Redis } from './connection.ts';
import type { StreamPosition } from './stream-gaps.ts';

/** This id is lower than that of every event. */
const BEFORE_ALL_EVENTS = '0-0';

/** Longest time that Redis blocks a read. */
const BLOCK_MS = 10_000;

/**
 * A read without a reply is given up after this many periods. Periods are counted, so that a process that was paused
 * does not give up a read.
 */
const PATIENCE_PERIOD_MS = 3_000;
const PATIENCE_PERIODS = 6;

/** The job that an entry of the event stream is about. */
interface JobChange {
  /** Undefined if the entry is of no interest. */
  jobId: string | undefined;
  data: string | undefined;
}

/** An entry of the event stream. */
export interface StreamEntry extends JobChange {
  id: string;
}

/** Reads the fields of an entry. They may be anything, because other programs may write to the stream. */
export type DecodeEntry = (fieldOf: (name: string) => string | undefined) => JobChange;

/** Reads the entries that the scripts of records write. BullMQ's own events are of no interest. */
export const recordChange: DecodeEntry = (fieldOf) => ({
  jobId: fieldOf('event') === 'progress' ? fieldOf('jobId') : undefined,
  data: fieldOf('data'),
});

/** Reads the end of the stream. A stream that does not exist is at its beginning. */
export async function streamPosition(connection: Redis, key: string): Promise<StreamPosition> {
  const reply = await connection.call('XINFO', ['STREAM', key]).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('ERR no such key')) return undefined;
    throw error;
  });
  if (!Array.isArray(reply)) return { lastId: BEFORE_ALL_EVENTS, added: 0 };
  const valueOf = (name: string): unknown => reply[reply.indexOf(name) + 1];
  const added = reply.includes('entries-added') ? Number(valueOf('entries-added')) : undefined;
  return { lastId: String(valueOf('last-generated-id')), added };
}

/**
 * Reads the entries after `lastId`. With `waits` it blocks until there is one, for up to 10 s. A connection that does
 * not answer is given up.
 */
export async function readStream(
  connection: Redis,
  key: string,
  lastId: string,
  waits: boolean,
  decode: DecodeEntry,
): Promise<StreamEntry[]> {
  const reading = waits
    ? connection.xread('BLOCK', BLOCK_MS, 'STREAMS', key, lastId)
    : connection.xread('STREAMS', key, lastId);
  const streams = await withPatience(connection, reading);
  return (streams?.[0]?.[1] ?? []).map(([id, fields]) => ({ id, ...decode((name) => fieldIn(fields, name)) }));
}

/** Rejects, and cuts the connection, if a blocking read gets no reply for 15 to 18 s while the connection is open. */
export async function withPatience<T>(connection: Redis, reading: Promise<T>): Promise<T> {
  let stopTimer = (): void => undefined;
  const silence = new Promise<never>((_, reject) => {
    let periods = 0;
    stopTimer = every(PATIENCE_PERIOD_MS, () => {
      periods = connection.status === 'ready' ? periods + 1 : 0;
      if (periods < PATIENCE_PERIODS) return;
      connection.disconnect(true);
      reject(new Error('no answer from Redis'));
    });
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    stopTimer();
    reading.catch(() => undefined);
  }
}

/** Returns a field of a flat list, in which names are at even places. */
function fieldIn(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < fields.length; index += 2) if (fields[index] === name) return fields[index + 1];
  return undefined;
}
