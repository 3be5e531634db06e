import { z } from 'zod';
import { count, time } from './base-schemas.ts';
import { uploadSchema } from './upload-schemas.ts';

/** The events of webhooks. Each upload that becomes final has one; a deletion has another one. */
export const WEBHOOK_EVENTS = [
  'upload.completed',
  'upload.failed',
  'upload.cancelled',
  'upload.discarded',
  'upload.deleted',
] as const;

/** The type of a webhook. */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** The body of a webhook. */
export const webhookSchema = z
  .strictObject({
    type: z.enum(WEBHOOK_EVENTS),
    timestamp: time.describe('When the upload changed, by the clock of Redis.'),
    data: uploadSchema.describe(
      'The upload at that moment. For `upload.deleted` it has neither `result` nor `error`, and its files are gone.',
    ),
  })
  .describe('The body of a webhook.');

/** A webhook that was not delivered yet, or not at all. */
export const deliverySchema = z
  .strictObject({
    id: z.string().describe('`{tenant}.{endpoint}.{upload}.{version}`.'),
    upload: z.string().describe('The first 12 hex characters of the SHA-256 of the upload id, as in the log.'),
    type: z.enum(WEBHOOK_EVENTS),
    tenant: z.string(),
    endpoint: z.string().describe('Id of the endpoint in the settings.'),
    state: z.enum(['pending', 'failed']).describe('`failed`: the last try failed. It is kept for a replay.'),
    tries: count.describe('Number of tries that failed.'),
    reason: z.string().nullable().describe('Why the last try failed; null before the first failure.'),
    createdAt: time,
    failedAt: time.nullable().describe('When the last try failed, for `failed`.'),
  })
  .describe('One webhook for one endpoint.');

/** Answer of `GET /operators/deliveries`. */
export const deliveryListSchema = z
  .strictObject({
    count: count.describe('Number of deliveries in this state. The list has at most 50 of them.'),
    pending: count.describe('Number of webhooks that are not delivered yet.'),
    oldestPendingMs: count.nullable().describe('Age of the oldest of them; null if there is none.'),
    deliveries: z.array(deliverySchema),
  })
  .describe('Deliveries of webhooks.');
