import { z } from 'zod';
import { addressRanges, choice, digits, hostNames, integer, origins, pictureOptions, text } from './forms.ts';
import { REDIS } from './redis-settings.ts';
import { S3 } from './s3-settings.ts';

/** What a process that another one starts is for. `server`: a program of somebody else, such as Redis. */
export type ChildRole = 'api' | 'worker' | 'isolated' | 'server';

/** Settings of one topic, and the processes that receive them. `npm start` itself has all settings. */
export interface Section {
  readonly title: string;
  readonly roles: readonly ChildRole[];
  readonly settings: Readonly<Record<string, z.ZodType>>;
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

const LISTENING = {
  HOST: text
    .prefault('127.0.0.1')
    .describe('Address to listen on. 127.0.0.1 serves only this machine; 0.0.0.0 serves the network.'),
  PORT: integer(3000, 0, 65_535).describe(
    'Port to listen on. 0 picks a free one; the log line "listening" contains it.',
  ),
  TRUSTED_PROXIES: addressRanges.describe(
    'Addresses or ranges of your proxies, separated by commas. X-Forwarded-For, Forwarded and ' +
      'X-Forwarded-Host are read only if they come from one of these.',
  ),
  ALLOWED_HOSTS: hostNames.describe(
    'Host names that requests may be sent to besides localhost, 127.0.0.1, [::1] and HOST, separated by ' +
      'commas, without ports. Other names get 421. * allows every name, and so does an empty value if HOST is ' +
      'not a loopback address.',
  ),
  CORS_ORIGINS: origins.describe(
    'Other sites whose pages may use the API (CORS): origins such as https://app.example, separated by ' +
      'commas, or * for all. Pages of other sites get 403 for requests that change something.',
  ),
  // Long enough that nobody can guess it. A header can carry it without escapes.
  OPERATORS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 letters, digits and signs without spaces')
    .optional()
    .describe(
      'Secret that opens the page for operators at /operators: 16 to 256 letters, digits and signs, such as ' +
        '`openssl rand -hex 24` prints. If it is empty, there is no such page (docs/operators.md).',
    ),
};

const INSTALLATION = {
  QUEUE_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .prefault('deferred-uploads')
    .describe('Prefix of all keys in Redis. Processes with the same Redis and the same prefix are one installation.'),
  EVENT_BUS: choice(['stream', 'targeted'])
    .prefault('stream')
    .describe(
      'How API processes receive changes. It must be the same in all processes. stream: every process receives ' +
        'every change. targeted: each process receives only the changes that its clients wait for ' +
        '(docs/events.md).',
    ),
};

const STORAGE = {
  // A bucket name is a part of host names. The segments of a prefix have the form of those of our keys.
  STORAGE: z
    .string()
    .regex(
      /^(file:.+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/(?!\.+(\/|$))[A-Za-z0-9._-]+)*\/?)$/,
      'must be file:<directory> or s3://<bucket>/<prefix>',
    )
    .prefault('file:./data/uploads')
    .describe(
      'Where uploads and variants are stored, for API and worker processes: file:<directory>, or ' +
        's3://<bucket>/<prefix> for Amazon S3 and compatible servers (docs/storage.md).',
    ),
  STORAGE_ADOPT: z
    .string()
    .regex(/^(new|[0-9a-f-]{36})$/, 'must be new, or the id of an installation')
    .optional()
    .describe(
      'A process stops if STORAGE and Redis do not belong together. If this is intended, set the value that its ' +
        'error message names, for one start (docs/storage.md).',
    ),
  STORAGE_RESERVE_BYTES: integer(256 * MIB, 0).describe(
    'Free disk space that uploads must leave. Uploads that would use it get 507.',
  ),
};

const RECEIVING = {
  UPLOAD_MAX_BYTES: integer(100 * MIB, 1).describe('Maximum size in bytes of one file.'),
  UPLOAD_MAX_REQUEST_BYTES: integer(1024 * MIB, 1).describe('Maximum size in bytes of one request with all its files.'),
  UPLOAD_MAX_FILES: integer(100, 1, 10_000).describe('Maximum number of files in one multipart request.'),
  UPLOAD_MAX_FIELDS: integer(100, 1, 10_000).describe('Maximum number of other fields in one multipart request.'),
  UPLOAD_MAX_FIELD_BYTES: integer(65_536, 1, 16 * MIB).describe('Maximum size in bytes of each of these fields.'),
  HTTP_MAX_HEADER_BYTES: integer(16_384, 1024, MIB).describe(
    'Maximum size in bytes of all headers of one request. The headers of each part of a form may have 16384.',
  ),
  UPLOAD_MAX_OPEN: integer(1000, 0).describe(
    'Maximum number of request bodies that one API process receives at the same time (0: no limit).',
  ),
  UPLOAD_MAX_OPEN_PER_ADDRESS: integer(100, 0).describe(
    'Maximum number of these request bodies from one client address (0: no limit).',
  ),
  UPLOAD_HASH: choice(['api', 'worker'])
    .prefault('api')
    .describe(
      'Which process computes the SHA-256 of a file. api: while it receives the file. worker: later, which ' +
        'saves API processes a third of their work; file.sha256 is then null until the upload is completed.',
    ),
  UPLOAD_MIN_BYTES_PER_S: integer(1024, 0).describe(
    'Bytes per second that a request body must reach on average over a minute; a slower one gets 408 (0: no ' +
      'minimum). If UPLOAD_MAX_OPEN is reached, a new request takes the place of the slowest sender below 16 ' +
      'KiB/s, which gets 503 and Retry-After.',
  ),
  UPLOAD_STALL_TIMEOUT_MS: integer(30_000, 100).describe(
    'A sender that sends nothing for this time is disconnected. The total time of an upload is not limited.',
  ),
  UPLOAD_EXPIRY_MS: integer(24 * HOUR_MS, 1000).describe(
    'A resumable upload that receives nothing for this time is deleted.',
  ),
  PICTURE_HEIC: choice(['on', 'off'])
    .prefault('on')
    .describe(
      'HEIC pictures, as iPhones take them. on: they are accepted. off: they get 415. ' +
        'The format is patented (docs/pictures.md).',
    ),
};

/** Also checked by the intake, before a picture is stored. */
const PICTURE_REQUESTS = {
  PICTURE_OPTIONS: pictureOptions.describe(
    'Options for pictures whose sender gives none: JSON as in the field `options` of an upload ' +
      '(docs/pictures.md). Members that are left out keep the defaults shown there.',
  ),
  PICTURE_MAX_OUTPUT_PIXELS: integer(1_000_000_000, 1).describe(
    'Maximum number of pixels of all variants of one picture, with all frames. A pixel of WebP counts 1, of ' +
      'JPEG a quarter, of PNG 2, of AVIF 4.',
  ),
};

const PICTURES = {
  PICTURE_MAX_PIXELS: integer(100_000_000, 1).describe(
    'Maximum number of pixels of one picture: width times height. A JPEG may have four times as many if no more ' +
      'than this maximum is decoded of it (docs/pictures.md).',
  ),
  PICTURE_MAX_FRAMES: integer(2000, 1).describe(
    'Maximum number of frames of an animation or pages of a TIFF. All frames together may have four times ' +
      'PICTURE_MAX_PIXELS.',
  ),
  PICTURE_STEP_TIMEOUT_MS: integer(60_000, 100, 3_600_000).describe(
    'Longest time of each step in processing a picture.',
  ),
};

/** Limits of tables. The code reads them as `TableLimits`. */
export const TABLES = {
  TABLE_MAX_LINE_BYTES: integer(MIB, 1024, 64 * MIB).describe(
    'Maximum size in bytes of one record of a table, with all lines that its quotes join.',
  ),
  TABLE_MAX_COLUMNS: integer(2000, 1, 16_384).describe('Maximum number of columns of a table.'),
  TABLE_MAX_UNPACKED_BYTES: integer(1024 * MIB, 1).describe(
    'Maximum size in bytes of the parts of a workbook after unpacking.',
  ),
  TABLE_MAX_OUTPUT_BYTES: integer(2048 * MIB, 1).describe(
    'Maximum size in bytes of the rows of a table as JSON Lines. They may also be at most 20 times the size ' +
      'of the upload, or 64 MiB if that is more.',
  ),
};

const HELD_RESPONSES = {
  DEFERRED_TIMEOUT_MS: integer(25_000, 0).describe('How long a response is held if the client does not say.'),
  DEFERRED_MAX_TIMEOUT_MS: integer(50_000, 0).describe(
    'Longest time that a client may ask for. Stay below the 60 s after which proxies close connections.',
  ),
  DEFERRED_MAX_HELD: integer(20_000, 1).describe('Maximum number of responses that one API process holds.'),
  DEFERRED_MAX_HELD_PER_ADDRESS: digits(0)
    .optional()
    .describe(
      'Maximum number of responses that one API process holds for one client address (0: no limit). If it is ' +
        'empty, there is no limit on a loopback HOST, and a tenth of DEFERRED_MAX_HELD on any other.',
    ),
};

const QUEUE = {
  QUEUE_CAPACITY: integer(5000, 1, 1_000_000).describe(
    'Maximum number of uploads that wait for a worker, over all processes.',
  ),
  QUEUE_OVERFLOW: choice(['reject', 'discard-oldest'])
    .prefault('reject')
    .describe(
      'What happens to a new upload if the queue is full. reject: it gets 503 and Retry-After. discard-oldest: ' +
        'it is accepted, and the oldest waiting upload ends as discarded.',
    ),
  QUEUE_CAPACITY_PER_ADDRESS: integer(0, 0, 1_000_000).describe(
    'Maximum number of waiting uploads of one client address (0: no limit). One more gets 429. Redis keeps ' +
      'the address only while the upload waits, and only if there is a limit.',
  ),
  RECORDS_MAX: integer(200_000, 1).describe(
    'Maximum number of uploads of which Redis keeps a record, in any state. One more is rejected before its ' +
      'body is read, with 503 and Retry-After. A record takes 1 to 3 KB of memory, that of a large table up to ' +
      '500 KB.',
  ),
  RECORDS_MAX_PER_ADDRESS: digits(0)
    .optional()
    .describe(
      'Maximum number of these records for one client address (0: no limit). One more gets 429. If it is empty, ' +
        'there is no limit on a loopback HOST, and a tenth of RECORDS_MAX on any other. Redis keeps a digest of ' +
        'the address.',
    ),
};

const STARTING = {
  // One picture per core: more at the same time raised throughput by 6 %, and memory by as much as they were more
  // (docs/pictures.md).
  WORKERS: digits(0, 256).optional().describe('Worker processes that `npm start` runs. If it is empty, one per core.'),
};

const WORK = {
  WORKER_CONCURRENCY: integer(1, 1, 256).describe('Jobs that one worker process runs at the same time.'),
  ATTEMPT_TIMEOUT_MS: integer(300_000, 1000, 86_400_000).describe(
    'How long a worker may take for one file. A file that takes longer is tried again in a process of its ' +
      'own. It fails if it uses the same amount of processor time there, or after four times this limit.',
  ),
  SWEEP_PERIOD_MS: integer(15_000, 100).describe(
    'How often one of the workers cleans up after processes that died and removes expired uploads.',
  ),
};

const LIFE_OF_UPLOADS = {
  RETENTION_MS: integer(24 * HOUR_MS, 1000).describe(
    'How long files and records of finished uploads are kept. After that their ids answer 410 for the same time again.',
  ),
  UPLOAD_SILENCE_MS: integer(300_000, 100).describe(
    'If an upload receives nothing for this time, its process is considered dead. Must be above ' +
      'UPLOAD_STALL_TIMEOUT_MS.',
  ),
  SHUTDOWN_GRACE_MS: integer(10_000, 0).describe(
    'How long work in progress may continue after SIGTERM, or after SHUTDOWN_DELAY_MS.',
  ),
};

const SHUTDOWN = {
  SHUTDOWN_DELAY_MS: integer(0, 0, 600_000).describe(
    'How long an API process continues to serve after SIGTERM while /readyz answers 503, so that load ' +
      'balancers notice. Then it stops.',
  ),
};

const LOGGING = {
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .prefault('info')
    .describe('Lowest level of log lines to write: trace, debug, info, warn, error, fatal or silent.'),
};

/** Settings that the code reads under their own names in camelCase. */
export const PLAIN_SETTINGS = {
  ...LISTENING,
  ...INSTALLATION,
  ...STORAGE,
  ...RECEIVING,
  ...PICTURE_REQUESTS,
  ...PICTURES,
  ...HELD_RESPONSES,
  ...QUEUE,
  ...STARTING,
  ...WORK,
  ...LIFE_OF_UPLOADS,
  ...SHUTDOWN,
  ...LOGGING,
};

const BOTH: readonly ChildRole[] = ['api', 'worker'];
const EVERYWHERE: readonly ChildRole[] = ['api', 'worker', 'isolated'];
const PROCESSING: readonly ChildRole[] = ['worker', 'isolated'];

/**
 * All settings, in the order of `.env.example`. A process receives no other settings, so a secret stays where it is
 * needed.
 */
export const SECTIONS: readonly Section[] = [
  { title: 'Listening', roles: ['api'], settings: LISTENING },
  { title: 'Redis', roles: BOTH, settings: { ...REDIS, ...INSTALLATION } },
  { title: 'Storage', roles: BOTH, settings: STORAGE },
  { title: 'Storage in a bucket (STORAGE=s3://…)', roles: BOTH, settings: S3 },
  { title: 'Receiving uploads', roles: ['api'], settings: RECEIVING },
  { title: 'Held responses', roles: ['api'], settings: HELD_RESPONSES },
  { title: 'Queue and records', roles: ['api'], settings: QUEUE },
  { title: 'Worker processes', roles: [], settings: STARTING },
  { title: 'Work of a worker', roles: ['worker'], settings: WORK },
  { title: 'Pictures', roles: EVERYWHERE, settings: PICTURE_REQUESTS },
  { title: 'Processing pictures', roles: PROCESSING, settings: PICTURES },
  { title: 'Tables', roles: PROCESSING, settings: TABLES },
  { title: 'Life of an upload and of a process', roles: BOTH, settings: LIFE_OF_UPLOADS },
  { title: 'Shutdown of API processes', roles: ['api'], settings: SHUTDOWN },
  { title: 'Log', roles: EVERYWHERE, settings: LOGGING },
];
