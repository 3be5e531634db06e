import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  addressRanges,
  derivedInteger,
  hostNames,
  hosts,
  integer,
  isRedisUrl,
  origins,
  pictureOptions,
  STORAGE_FORM,
} from './setting-forms.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** 10,000 parts of 8 MiB: a multipart upload to S3 has no more. */
const S3_MAX_FILE_BYTES = 10_000 * 8 * MIB;

/** Every setting with its form, default and bounds. `.env.example` documents each. */
export const settingsSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: integer(3000, 0, 65_535),
  REDIS_URL: z
    .string()
    .refine(isRedisUrl, 'must be redis://…, rediss://… or the path of a socket; a # in a password is written as %23')
    .optional(),
  REDIS_SENTINELS: hosts(26_379),
  REDIS_SENTINEL_NAME: z.string().min(1).default('mymaster'),
  REDIS_SENTINEL_PASSWORD: z.string().optional(),
  REDIS_CLUSTER_NODES: hosts(6379),
  REDIS_USERNAME: z.string().optional(),
  REDIS_PASSWORD: z.string().optional(),
  REDIS_TLS: z.enum(['true', 'false'], 'must be true or false').default('false'),
  REDIS_TLS_CA: z.string().min(1).optional(),
  REDIS_TLS_CERT: z.string().min(1).optional(),
  REDIS_TLS_KEY: z.string().min(1).optional(),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .default('deferred-uploads'),
  EVENT_BUS: z.enum(['stream', 'targeted'], 'must be stream or targeted').default('stream'),
  STORAGE: z
    .string()
    .regex(STORAGE_FORM, 'must be file:<directory> or s3://<bucket>/<prefix>')
    .default('file:./data/uploads'),
  STORAGE_ADOPT: z
    .string()
    .regex(/^(new|[0-9a-f-]{36})$/, 'must be new, or the id of an installation')
    .optional(),
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an address such as https://s3.example.com' }).optional(),
  S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region')
    .optional(),
  S3_FORCE_PATH_STYLE: z.enum(['true', 'false'], 'must be true or false').optional(),
  S3_CHECKSUMS: z.enum(['when_supported', 'when_required'], 'must be when_supported or when_required').optional(),
  STORAGE_RESERVE_BYTES: integer(256 * MIB, 0),
  UPLOAD_MAX_BYTES: integer(100 * MIB, 1),
  UPLOAD_MAX_REQUEST_BYTES: integer(1024 * MIB, 1),
  UPLOAD_MAX_FILES: integer(100, 1, 10_000),
  UPLOAD_MAX_FIELDS: integer(100, 1, 10_000),
  UPLOAD_MAX_FIELD_BYTES: integer(65_536, 1, 16 * MIB),
  HTTP_MAX_HEADER_BYTES: integer(16_384, 1024, MIB),
  UPLOAD_MAX_OPEN: integer(1000, 0),
  UPLOAD_MAX_OPEN_PER_ADDRESS: integer(100, 0),
  UPLOAD_HASH: z.enum(['api', 'worker'], 'must be api or worker').default('api'),
  UPLOAD_MIN_BYTES_PER_S: integer(1024, 0),
  UPLOAD_STALL_TIMEOUT_MS: integer(30_000, 100),
  UPLOAD_SILENCE_MS: integer(300_000, 100),
  UPLOAD_EXPIRY_MS: integer(24 * HOUR_MS, 1000),
  TRUSTED_PROXIES: addressRanges,
  ALLOWED_HOSTS: hostNames,
  CORS_ORIGINS: origins,
  // Long enough not to be guessed, and fit for a header as it stands.
  OPERATORS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 letters, digits and signs without spaces')
    .optional(),
  DEFERRED_TIMEOUT_MS: integer(25_000, 0),
  DEFERRED_MAX_TIMEOUT_MS: integer(50_000, 0),
  DEFERRED_MAX_HELD: integer(20_000, 1),
  // Its default depends on HOST.
  DEFERRED_MAX_HELD_PER_ADDRESS: derivedInteger(0),
  QUEUE_CAPACITY: integer(5000, 1, 1_000_000),
  QUEUE_OVERFLOW: z.enum(['reject', 'discard-oldest'], 'must be reject or discard-oldest').default('reject'),
  QUEUE_CAPACITY_PER_ADDRESS: integer(0, 0, 1_000_000),
  RECORDS_MAX: integer(200_000, 1),
  RECORDS_MAX_PER_ADDRESS: derivedInteger(0),
  // As many pictures at once as cores, one thread each; more of them made 6 % more in as much more memory (docs/pictures.md).
  WORKERS: integer(Math.min(availableParallelism(), 256), 0, 256),
  WORKER_CONCURRENCY: integer(1, 1, 256),
  ATTEMPT_TIMEOUT_MS: integer(300_000, 1000, 86_400_000),
  PICTURE_MAX_PIXELS: integer(100_000_000, 1),
  PICTURE_MAX_FRAMES: integer(2000, 1),
  PICTURE_MAX_OUTPUT_PIXELS: integer(1_000_000_000, 1),
  PICTURE_STEP_TIMEOUT_MS: integer(60_000, 100, 3_600_000),
  PICTURE_OPTIONS: pictureOptions,
  TABLE_MAX_LINE_BYTES: integer(MIB, 1024, 64 * MIB),
  TABLE_MAX_COLUMNS: integer(2000, 1, 16_384),
  TABLE_MAX_UNPACKED_BYTES: integer(1024 * MIB, 1),
  TABLE_MAX_OUTPUT_BYTES: integer(2048 * MIB, 1),
  SWEEP_PERIOD_MS: integer(15_000, 100),
  RETENTION_MS: integer(24 * HOUR_MS, 1000),
  SHUTDOWN_DELAY_MS: integer(0, 0, 600_000),
  SHUTDOWN_GRACE_MS: integer(10_000, 0),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** The settings by their names in the environment. */
export type Settings = z.infer<typeof settingsSchema>;

/** True if connections to Redis are encrypted. */
export function usesTls(values: Pick<Settings, 'REDIS_TLS' | 'REDIS_URL'>): boolean {
  return values.REDIS_TLS === 'true' || values.REDIS_URL?.startsWith('rediss:') === true;
}

function isSocket(url: string | undefined): boolean {
  return url?.startsWith('/') === true || url?.startsWith('unix:') === true;
}

/** Returns one sentence about two settings that exclude each other; undefined if they fit together. */
export function contradiction(values: Settings): string | undefined {
  const places = [values.REDIS_URL ?? [], values.REDIS_SENTINELS, values.REDIS_CLUSTER_NODES].filter(
    ({ length }) => length > 0,
  );
  if (places.length > 1) return 'only one of REDIS_URL, REDIS_SENTINELS and REDIS_CLUSTER_NODES may be set';
  if (values.REDIS_URL !== undefined && (values.REDIS_USERNAME ?? values.REDIS_PASSWORD) !== undefined)
    return 'REDIS_USERNAME and REDIS_PASSWORD stand in REDIS_URL itself where that is set';
  if ((values.REDIS_TLS_CERT === undefined) !== (values.REDIS_TLS_KEY === undefined))
    return 'REDIS_TLS_CERT and REDIS_TLS_KEY belong together';
  if ((values.REDIS_TLS_CA ?? values.REDIS_TLS_CERT) !== undefined && !usesTls(values))
    return 'REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY need REDIS_TLS=true or a REDIS_URL that begins with rediss://';
  if (values.REDIS_TLS === 'true' && (places.length === 0 || isSocket(values.REDIS_URL)))
    return 'REDIS_TLS=true needs a Redis that is reached over the network';
  if (values.DEFERRED_TIMEOUT_MS > values.DEFERRED_MAX_TIMEOUT_MS)
    return 'DEFERRED_TIMEOUT_MS must not exceed DEFERRED_MAX_TIMEOUT_MS';
  if (values.UPLOAD_MAX_BYTES > values.UPLOAD_MAX_REQUEST_BYTES)
    return 'UPLOAD_MAX_BYTES must not exceed UPLOAD_MAX_REQUEST_BYTES';
  if (values.STORAGE.startsWith('s3:') && values.UPLOAD_MAX_BYTES > S3_MAX_FILE_BYTES)
    return `UPLOAD_MAX_BYTES must not exceed ${S3_MAX_FILE_BYTES} with STORAGE=s3://…`;
  return undefined;
}
