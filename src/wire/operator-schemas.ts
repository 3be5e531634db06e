import { z } from 'zod';
import { bytes, count, quotaNameSchema, time, uploadStateSchema } from './base-schemas.ts';

const milliseconds = z.number().min(0).describe('Milliseconds.');

const minuteCountsSchema = z
  .strictObject({
    received: count.describe('Uploads that were stored and queued.'),
    completed: count,
    failed: count.describe('Rejected files included.'),
  })
  .describe('Uploads of the last 60 seconds.');

const wakeLatencySchema = z
  .strictObject({
    count: count.describe('Number of measured answers: the newest of the last 60 seconds, at most 1000.'),
    p50Ms: milliseconds,
    p99Ms: milliseconds,
  })
  .describe('Time from an event to the last byte of the answer that it resolved.');

const minutesSchema = z.array(count).length(60);

/** Counts of the last hour. */
export const recentHourSchema = z
  .strictObject({ received: minutesSchema, completed: minutesSchema, failed: minutesSchema })
  .describe('Uploads of the last 60 minutes, minute by minute, the oldest first. Processes that ended do not count.');

/** Failures with the same code. */
export const failureCountSchema = z
  .strictObject({
    code: z.string(),
    count: count.describe('Uploads of the last hour that failed with this code, rejected files included.'),
    examples: z
      .array(
        z.strictObject({
          ref: z.string().describe('The hash of the upload, as in the logs.'),
          detail: z.string().describe('The detail that the sender received.'),
          at: time,
        }),
      )
      .describe('The newest three.'),
  })
  .describe('Uploads that failed with one code.');

/** The state of one process. */
export const processReportSchema = z
  .strictObject({
    id: z.string().describe('Changes at each restart.'),
    role: z.enum(['api', 'worker']),
    host: z.string(),
    pid: count,
    version: z.string().describe('Version of the service.'),
    startedAt: time,
    held: z
      .record(z.string(), count)
      .describe('Number of responses held now, by route. Routes without any are left out.'),
    running: count.describe('Number of jobs running now.'),
    pausedBy: z
      .enum(['storage'])
      .nullable()
      .describe('Why a worker takes no jobs now: the storage cannot be used. Null if it takes jobs.'),
    lastMinute: minuteCountsSchema,
    wake: wakeLatencySchema.nullable().describe('Null if no held response was resolved within the last minute.'),
    lastHour: recentHourSchema.describe('Only between processes.').exactOptional(),
    failures: z.array(failureCountSchema).describe('Only between processes.').exactOptional(),
  })
  .describe('One process of the service. Each process publishes its state every few seconds.');

const failedUploadSchema = z
  .strictObject({
    ref: z
      .string()
      .regex(/^[0-9a-f]{12}$/)
      .describe('The first 12 hex digits of the SHA-256 of its id, as in the field `upload` of the logs.'),
    name: z.string(),
    type: z.string().nullable(),
    size: bytes,
    attempts: count,
    code: z.string().describe('Code of its error.'),
    failedAt: time,
  })
  .describe('A failed upload that an operator can retry.');

const tenantFiguresSchema = z
  .strictObject({
    name: z.string(),
    weight: z.number().describe('Share of the workers, relative to the others.'),
    limits: z.partialRecord(quotaNameSchema, count).describe('A missing member means no limit.'),
    use: z.record(quotaNameSchema, count).describe('What the tenant uses now. Days are in UTC.'),
  })
  .describe('One tenant of the access file.');

/** Answer of `GET /operators/figures`. */
export const serviceFiguresSchema = z
  .strictObject({
    at: time,
    jobs: z
      .strictObject({
        waiting: count,
        active: count,
        delayed: count.describe('Jobs that wait for their next attempt.'),
      })
      .describe('Jobs of the queue.'),
    waiting: z
      .strictObject({
        count,
        byKind: z.record(z.string(), count).describe('The same for each kind of file that has waiting uploads.'),
        capacity: count.describe(
          'If it is reached, a new upload is rejected, or the oldest one is discarded (QUEUE_OVERFLOW).',
        ),
        oldestMs: count
          .nullable()
          .describe('How long the first upload has waited, in milliseconds; null if none waits.'),
      })
      .describe('Uploads that wait for a worker.'),
    lastHour: recentHourSchema,
    failuresByCode: z.array(failureCountSchema).describe('Why uploads failed in the last hour, most frequent first.'),
    storage: z
      .strictObject({ freeBytes: bytes, totalBytes: bytes })
      .nullable()
      .describe('Space of the storage as this process sees it. Null for a bucket.'),
    redis: z
      .strictObject({ usedBytes: bytes, maxBytes: bytes.nullable().describe('Null without a limit.') })
      .nullable()
      .describe('Memory of Redis. Null if it does not report it.'),
    failures: z
      .strictObject({ count, newest: z.array(failedUploadSchema).describe('The newest 50.') })
      .describe(
        'Uploads that failed for a reason that may be gone at the next attempt. They are listed until they expire.',
      ),
    tenants: z
      .strictObject({
        count,
        listed: z.array(tenantFiguresSchema).describe('At most 100. Tenants that are nearest to a limit come first.'),
      })
      .nullable()
      .describe('Tenants with their limits and use. Null in open mode.'),
    processes: z.array(processReportSchema),
  })
  .describe('The current state of the whole service.');

const foundUploadSchema = z
  .strictObject({
    ref: z.string().describe('The first 12 hex digits of the SHA-256 of its id, as in the logs.'),
    name: z.string(),
    type: z.string().nullable(),
    size: bytes.describe('Received bytes.'),
    state: uploadStateSchema,
    stage: z.string(),
    percent: z.number().min(0).max(100),
    attempts: count,
    tenant: z.string().nullable(),
    error: z.strictObject({ code: z.string(), detail: z.string() }).nullable(),
    createdAt: time,
    updatedAt: time,
    expiresAt: time.nullable(),
  })
  .describe('An upload as operators see it, without its id, which gives access to it.');

/** Answer of `GET /operators/uploads`. */
export const foundUploadsSchema = z
  .strictObject({
    uploads: z.array(foundUploadSchema).describe('At most 20.'),
    isComplete: z.boolean().describe('False if more uploads may match: at most 20,000 names are compared.'),
  })
  .describe('Uploads that were found.');
