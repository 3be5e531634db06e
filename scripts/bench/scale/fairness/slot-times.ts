import { z } from 'zod';
import type { Redis } from '../../../../src/queue/connection.ts';
import { pairFields } from '../../../../src/record/record-fields.ts';

/** When a photo is admitted, the slot may work on another upload. That one began at most this time before. */
const BEFORE_MS = 1000;

const eventSchema = z.object({ at: z.coerce.number(), state: z.string().optional() });

/** How long a photo waited, by the clock of Redis. */
export interface SlotTimes {
  /** Time from the admission of the photo until a worker has begun it. */
  readonly waitMs: number;
  /** The longest part of the wait in which the slot worked for one upload of another tenant. */
  readonly workMs: number;
  /** Uploads of another tenant that were begun in this time. */
  readonly othersFirst: number;
}

/**
 * Reads the times of a photo that has begun from the event stream of a worker with one slot. The photo was not queued
 * before `sinceMs`.
 */
export async function readSlotTimes(
  connection: Redis,
  stream: string,
  photo: string,
  sinceMs: number,
): Promise<SlotTimes> {
  const begins = new Map<string, number>();
  const works: { id: string; from: number; to: number }[] = [];
  let queuedAt: number | undefined;
  for (const { id, state, at } of await changesSince(connection, stream, sinceMs - BEFORE_MS)) {
    if (id === photo && state === 'queued') queuedAt = at;
    if (state === 'processing' && !begins.has(id)) begins.set(id, at);
    if (state === 'completed') works.push({ id, from: begins.get(id) ?? 0, to: at });
  }
  const begunAt = begins.get(photo);
  if (queuedAt === undefined || begunAt === undefined) throw new Error('the events of a photo are missing');
  const [start, end] = [queuedAt, begunAt];
  const overlaps = works.map(({ from, to }) => Math.min(to, end) - Math.max(from, start));
  const othersFirst = [...begins.values()].filter((at) => at > start && at < end).length;
  return { waitMs: end - start, workMs: Math.max(0, ...overlaps), othersFirst };
}

/** Returns the changes of all uploads, the oldest first. */
async function changesSince(connection: Redis, stream: string, sinceMs: number) {
  const entries = await connection.xrange(stream, sinceMs, '+');
  return entries.flatMap(([, fields]) => {
    const { event, jobId: id = '', data = '' } = pairFields(fields);
    if (event !== 'progress') return [];
    return [{ id, ...eventSchema.parse(JSON.parse(data)) }];
  });
}
