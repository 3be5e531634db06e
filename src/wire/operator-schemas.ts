import { z } from 'zod';
import { bytes, count, time, uploadIdSchema } from './base-schemas.ts';

const milliseconds = z.number().min(0).describe('Milliseconds.');

const minuteCountsSchema = z
  .strictObject({
    received: count.describe('Became queued.'),
    completed: count,
    failed: count.describe('Refused ones included.'),
  })
  .describe('Uploads of the last 60 seconds.');

const wakeLatencySchema = z
  .strictObject({
    count: count.describe('As many answers of the last 60 seconds, the newest 1000 at most.'),
    p50Ms: milliseconds,
    p99Ms: milliseconds,
  })
  .describe('From an event to the last byte of the answer that it resolved.');

/** What one process tells of itself. */
export const processReportSchema = z
  .strictObject({
    id: z.string().describe('Another one after a restart.'),
    role: z.enum(['api', 'worker']),
    host: z.string(),
    pid: count,
    version: z.string().describe('Of the service.'),
    startedAt: time,
    held: z.record(z.string(), count).describe('Responses held now, by route.'),
    running: count.describe('Jobs in hand now.'),
    pausedBy: z
      .enum(['storage'])
      .nullable()
      .describe('Why a worker takes no jobs now: the storage cannot be used. Null if it takes jobs.'),
    lastMinute: minuteCountsSchema,
    wake: wakeLatencySchema.nullable().describe('Null where nothing was woken within the last minute.'),
  })
  .describe('One process of the service, as it told of itself within the last seconds.');

const failedUploadSchema = z
  .strictObject({
    id: uploadIdSchema,
    name: z.string(),
    type: z.string().nullable(),
    size: bytes,
    attempts: count,
    code: z.string().describe('Of the error that it failed with.'),
    failedAt: time,
  })
  .describe('A failed upload that may be tried again.');

/** Answer of `GET /operators/figures`. */
export const serviceFiguresSchema = z
  .strictObject({
    at: time,
    jobs: z
      .strictObject({ waiting: count, active: count, delayed: count.describe('Wait for their next attempt.') })
      .describe('Jobs of the queue.'),
    waiting: z
      .strictObject({
        count,
        capacity: count.describe('Past it an upload is refused, or the oldest one discarded, as QUEUE_OVERFLOW says.'),
        oldestMs: count.nullable().describe('Milliseconds; null where none waits.'),
      })
      .describe('Uploads that wait for a worker, how many may, and for how long the first of them has.'),
    failures: z
      .strictObject({ count, newest: z.array(failedUploadSchema).describe('The newest 50.') })
      .describe('Uploads that failed in a way that another try may mend, until they expire.'),
    processes: z.array(processReportSchema),
  })
  .describe('The whole service as it is now.');
