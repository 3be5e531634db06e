import { z } from 'zod';
import { webhookEvents, webhookSecret, webhookSecrets, webhookUrl } from '../settings/webhook-settings.ts';
import { presetNameSchema } from '../wire/access-schemas.ts';
import { faultOf } from '../wire/schema-faults.ts';
import { WEBHOOK_EVENTS } from '../wire/webhook-schemas.ts';
import type { JsonObject } from './caller.ts';
import { placeOfJsonFault } from './json-fault.ts';

/** Maximum size of the file, which is read into memory as a whole. Thousands of tenants need less. */
export const MAX_ACCESS_FILE_BYTES = 16 * 1024 * 1024;

/** Minimum length of a secret of HS256. A shorter one could be guessed (RFC 7518 section 3.2). */
const LEAST_SECRET_BYTES = 32;

/** An error message names at most this many mistakes. */
const MAX_MISTAKES = 3;

const MAX_SHOWN_LENGTH = 32;

const identifier = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ., - or _');

const limit = z.int('must be a whole number').min(0, 'must be at least 0').exactOptional();

const limitsSchema = z.strictObject({
  waiting: limit,
  receiving: limit,
  uploadsPerDay: limit,
  bytesPerDay: limit,
  storedBytes: limit,
  createPerMinute: limit,
});

const keySchema = z.strictObject({
  id: identifier,
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hex digits'),
});

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url');

const kid = z.string().min(1).max(128);

const ed25519Schema = z.looseObject({
  kty: z.literal('OKP', 'must be OKP'),
  crv: z.literal('Ed25519', 'must be Ed25519'),
  x: coordinate,
  d: coordinate.exactOptional(),
});

const p256Schema = z.looseObject({
  kty: z.literal('EC', 'must be EC'),
  crv: z.literal('P-256', 'must be P-256'),
  x: coordinate,
  y: coordinate,
  d: coordinate.exactOptional(),
});

const ticketKeySchema = z.discriminatedUnion(
  'alg',
  [
    z.strictObject({
      kid,
      alg: z.literal('HS256'),
      secret: z
        .string()
        .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding')
        .refine(
          (secret) => Buffer.from(secret, 'base64url').length >= LEAST_SECRET_BYTES,
          `must have at least ${LEAST_SECRET_BYTES} bytes`,
        ),
    }),
    z.strictObject({ kid, alg: z.literal('EdDSA'), jwk: ed25519Schema }),
    z.strictObject({ kid, alg: z.literal('ES256'), jwk: p256Schema }),
  ],
  'must be HS256, EdDSA or ES256',
);

const webhookEndpointSchema = z
  .strictObject({
    id: identifier,
    url: webhookUrl,
    // Two secrets are valid while one replaces the other.
    secret: z.union([webhookSecret, webhookSecrets]),
    events: webhookEvents.default([...WEBHOOK_EVENTS]),
  })
  .transform(({ secret, ...rest }) => ({ ...rest, secrets: [secret].flat() }));

const tenantSchema = z.strictObject({
  keys: z.array(keySchema).default([]),
  tickets: z.array(ticketKeySchema).default([]),
  limits: limitsSchema.default({}),
  weight: z.number('must be a number').min(0.01, 'must be at least 0.01').max(1000, 'must be at most 1000').default(1),
  presets: z
    .record(
      presetNameSchema,
      // The value comes from JSON, so its members are JSON values.
      z.looseObject({}).transform((options) => options as JsonObject),
    )
    .default({}),
  webhooks: z.array(webhookEndpointSchema).default([]),
});

const fileSchema = z.strictObject({
  tenants: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and -'), tenantSchema),
});

/** The access file with its defaults filled in. */
export type AccessFile = z.infer<typeof fileSchema>;

/** One tenant of the access file. */
export type TenantEntry = z.infer<typeof tenantSchema>;

/** A key that checks tickets. If it has a secret part, it also signs them. */
export type TicketKeyEntry = z.infer<typeof ticketKeySchema>;

/** The access file cannot be used. The message is one line that names the places and contains no value of the file. */
export class AccessFileError extends Error {}

/**
 * Parses the text of an access file. Throws an AccessFileError that names the first mistakes.
 * @param isPreset returns whether options are valid for a file kind. Default: every object is.
 */
export function parseAccessFile(text: string, isPreset: (options: JsonObject) => boolean = () => true): AccessFile {
  const parsed = fileSchema.safeParse(parseJson(text.replace(/^\uFEFF/, '')), { error: faultOf });
  if (!parsed.success) throw mistakes(parsed.error.issues.map((issue) => `${placeOf(issue.path)} ${reasonOf(issue)}`));
  const contradictions = [...duplicates(parsed.data), ...uselessPresets(parsed.data, isPreset)];
  if (contradictions.length > 0) throw mistakes(contradictions);
  return parsed.data;
}

function parseJson(text: string): unknown {
  const place = placeOfJsonFault(text);
  try {
    const value: unknown = JSON.parse(text);
    if (place === undefined) return value;
  } catch {
    throw new AccessFileError(`is not JSON at ${place ?? 'an unknown place'}`);
  }
  // If two tenants have the same name, JSON.parse drops the first one with all its keys.
  throw new AccessFileError(`uses a name twice at ${place}`);
}

function mistakes(found: readonly string[]): AccessFileError {
  const more = found.length - MAX_MISTAKES;
  return new AccessFileError([...found.slice(0, MAX_MISTAKES), ...(more > 0 ? [`and ${more} more`] : [])].join('; '));
}

/** Returns the path as in JavaScript: `tenants.acme.keys[0].sha256`. */
function placeOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${shown(String(step))}`));
  return steps.join('').replace(/^\./, '') || 'the file';
}

function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'unrecognized_keys'
    ? `has the unknown member ${issue.keys.map(shown).join(', ')}`
    : issue.message;
}

/** Shortens a long name, because it may be a secret in the wrong place. */
function shown(name: string): string {
  return name.length <= MAX_SHOWN_LENGTH ? name : `${name.slice(0, 3)}…`;
}

/** Yields a mistake for each `kid`, digest and id that must be unique and is not. */
function* duplicates({ tenants }: AccessFile): Generator<string> {
  const kids = new Set<string>();
  const digests = new Set<string>();
  for (const [name, tenant] of Object.entries(tenants)) {
    for (const [index, key] of tenant.tickets.entries())
      if (isRepeated(kids, key.kid)) yield `tenants.${name}.tickets[${index}].kid is used twice`;
    for (const [index, key] of tenant.keys.entries())
      if (isRepeated(digests, key.sha256.toLowerCase())) yield `tenants.${name}.keys[${index}].sha256 is used twice`;
    for (const list of ['keys', 'webhooks'] as const) {
      const ids = new Set<string>();
      for (const [index, { id }] of tenant[list].entries())
        if (isRepeated(ids, id)) yield `tenants.${name}.${list}[${index}].id is used twice`;
    }
  }
}

function isRepeated(seen: Set<string>, value: string): boolean {
  const repeated = seen.has(value);
  seen.add(value);
  return repeated;
}

function* uselessPresets({ tenants }: AccessFile, isPreset: (options: JsonObject) => boolean): Generator<string> {
  for (const [name, { presets }] of Object.entries(tenants))
    for (const [preset, options] of Object.entries(presets))
      if (!isPreset(options)) yield `tenants.${name}.presets.${preset} is not valid for any file kind`;
}
