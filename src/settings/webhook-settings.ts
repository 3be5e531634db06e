import { z } from 'zod';
import { WEBHOOK_EVENTS } from '../wire/webhook-schemas.ts';
import { addressRanges } from './forms.ts';

/** Minimum length of a key. Standard Webhooks recommends 24 to 64 bytes. */
const LEAST_KEY_BYTES = 16;
const MOST_KEY_BYTES = 128;

/** Maximum number of secrets. While one is replaced, two are valid. */
const MOST_SECRETS = 4;

function isSecret(secret: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (base64 === undefined) return false;
  const { length } = Buffer.from(base64, 'base64');
  return length >= LEAST_KEY_BYTES && length <= MOST_KEY_BYTES;
}

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** The URL of an endpoint. */
export const webhookUrl = z
  .string()
  .refine((url) => isHttpUrl(url) && url.length <= 2048, 'must be a URL such as https://app.example/hooks');

/** One secret of an endpoint. */
export const webhookSecret = z
  .string()
  .refine(isSecret, `must be whsec_ and ${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes in Base64`);

/** The secrets of an endpoint, in the order in which a request is signed. */
export const webhookSecrets = z.array(webhookSecret).min(1).max(MOST_SECRETS);

/** The events that an endpoint receives. */
export const webhookEvents = z.array(z.enum(WEBHOOK_EVENTS, `must be ${WEBHOOK_EVENTS.join(', ')}`)).min(1);

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** The endpoint of the open mode. With `ACCESS_FILE`, each tenant has its own endpoints there. */
export const WEBHOOK_TARGET = {
  WEBHOOK_URL: webhookUrl
    .optional()
    .describe(
      'URL that receives a signed POST about every final upload (docs/webhooks.md), for API and worker processes. ' +
        'Use https in production. Only with ACCESS=open: with an ACCESS_FILE the endpoints are in that file.',
    ),
};

/** Settings that only the processes that send webhooks need. */
export const WEBHOOK_SENDING = {
  WEBHOOK_SECRET: z
    .string()
    .transform(words)
    .pipe(webhookSecrets)
    .optional()
    .describe(
      'Secret that signs webhooks: whsec_ and 16 to 128 bytes in Base64, such as ' +
        '`echo whsec_$(openssl rand -base64 32)` prints. Two secrets, separated by a comma, are both used to sign, ' +
        'so that you can replace the first one.',
    ),
  WEBHOOK_EVENTS: z
    .string()
    .transform(words)
    .pipe(webhookEvents)
    .prefault(WEBHOOK_EVENTS.join(','))
    .describe('Events that WEBHOOK_URL receives, separated by commas.'),
  WEBHOOK_ALLOW: addressRanges.describe(
    'Addresses or ranges that webhooks may be sent to although they are not public, such as 10.0.0.0/8, separated ' +
      'by commas. Loopback, private and link-local addresses are refused otherwise.',
  ),
};

/** Returns a sentence about settings of webhooks that exclude each other. Undefined if they fit together. */
export function webhookContradiction(given: {
  readonly WEBHOOK_URL?: string | undefined;
  readonly ACCESS_FILE?: string | undefined;
}): string | undefined {
  if (given.WEBHOOK_URL === undefined || given.ACCESS_FILE === undefined) return undefined;
  return 'WEBHOOK_URL and ACCESS_FILE exclude each other: in that file each tenant has webhooks of its own';
}
