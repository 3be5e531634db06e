import { z } from 'zod';
import { ACCESS } from './access-settings.ts';
import { choice, digits, integer, kindNames, text } from './forms.ts';
import { LISTENING } from './listening-settings.ts';
import { IMPORTS } from './import-settings.ts';
import { MANAGEMENT } from './management-settings.ts';
import { MOUNTING } from './mount-settings.ts';
import { PICTURE_REQUESTS, PICTURES, PROCESSORS, TABLES } from './processing-settings.ts';
import { RECEIVING } from './receiving-settings.ts';
import { REDIS } from './redis-settings.ts';
import { WEBHOOK_SENDING, WEBHOOK_TARGET } from './webhook-settings.ts';
import { S3 } from './s3-settings.ts';

/** The purpose of a process that another one starts. `server`: a program of somebody else, such as Redis. */
export type ChildRole = 'api' | 'worker' | 'isolated' | 'server';

/** Settings of one topic, and the processes that receive them. `npm start` itself has all settings. */
export interface Section {
  readonly title: string;
  readonly roles: readonly ChildRole[];
  readonly settings: Readonly<Record<string, z.ZodType>>;
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

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

const HELD_RESPONSES = {
  DEFERRED_TIMEOUT_MS: integer(25_000, 0).describe('How long a response is held if the client does not say.'),
  DEFERRED_MAX_TIMEOUT_MS: integer(50_000, 0).describe(
    'Longest time that a client may ask for. Stay below the 60 s after which proxies close connections.',
  ),
  DEFERRED_MAX_HELD: integer(20_000, 1).describe(
    'Maximum number of responses that one API process holds. It is lower if the limit of open files allows fewer ' +
      'connections.',
  ),
  DEFERRED_MAX_HELD_PER_ADDRESS: digits(0)
    .optional()
    .describe(
      'Maximum number of responses that one API process holds for one client address (0: no limit). If it is ' +
        'empty, a tenth of DEFERRED_MAX_HELD, and no limit on a loopback HOST without TRUSTED_PROXIES.',
    ),
};

const DOWNLOADS = {
  ARCHIVE_MAX_BYTES: integer(10 * 1024 * MIB, 0).describe(
    'Maximum size in bytes of all files in one archive of `GET /archive`. Archives are made while they are sent, so ' +
      'they need no memory or disk space.',
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
        'it is accepted, and the oldest waiting upload ends as discarded. With several tenants it is the oldest of ' +
        'the tenant that has the most waiting uploads for its weight.',
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
        'a tenth of RECORDS_MAX, and no limit on a loopback HOST without TRUSTED_PROXIES. Redis keeps a digest of ' +
        'the address.',
    ),
};

const STARTING = {
  // One picture per core: several at the same time raised throughput by 6 %, and memory with their number
  // (docs/pictures.md).
  WORKERS: digits(0, 256)
    .optional()
    .describe('Worker processes that `npm start` runs. If it is empty, one until the first upload, then one per core.'),
};

const WORK = {
  WORKER_CONCURRENCY: integer(1, 1, 256).describe('Jobs that one worker process runs at the same time.'),
  WORKER_KINDS: kindNames.describe(
    'The kinds of files that a worker process takes, such as picture,table. If it is empty, all. Each kind has a ' +
      'queue of its own, so workers for one kind do not wait for another (docs/queue.md).',
  ),
  ATTEMPT_TIMEOUT_MS: integer(300_000, 1000, 86_400_000).describe(
    'How long a worker may take for one file. A file that takes longer is tried again in a process of its ' +
      'own. It fails if it uses the same amount of processor time there, or after four times this limit.',
  ),
  METRICS_PORT: digits(0, 65_535)
    .optional()
    .describe(
      'Port on which a worker serves /metrics; 0 picks a free one. If several workers run on one machine, each takes ' +
        'the next free port. If it is empty, workers have no /metrics.',
    ),
  METRICS_HOST: text.prefault('127.0.0.1').describe('Address on which a worker serves /metrics.'),
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
  ...MOUNTING,
  ...INSTALLATION,
  ...STORAGE,
  ...RECEIVING,
  ...IMPORTS,
  ...PROCESSORS,
  ...PICTURE_REQUESTS,
  ...PICTURES,
  ...HELD_RESPONSES,
  ...DOWNLOADS,
  ...QUEUE,
  ...STARTING,
  ...WORK,
  ...LIFE_OF_UPLOADS,
  ...SHUTDOWN,
  ...WEBHOOK_TARGET,
  ...WEBHOOK_SENDING,
  ...LOGGING,
};

const BOTH: readonly ChildRole[] = ['api', 'worker'];
const EVERYWHERE: readonly ChildRole[] = ['api', 'worker', 'isolated'];
const PROCESSING: readonly ChildRole[] = ['worker', 'isolated'];

/**
 * All settings, in the order of `.env.example`. A process receives only the sections of its role, so a secret stays
 * where it is needed.
 */
export const SECTIONS: readonly Section[] = [
  { title: 'Listening', roles: ['api'], settings: { ...LISTENING, ...MANAGEMENT } },
  { title: 'Access', roles: BOTH, settings: ACCESS },
  { title: 'Path of the service', roles: BOTH, settings: MOUNTING },
  { title: 'Redis', roles: BOTH, settings: { ...REDIS, ...INSTALLATION } },
  { title: 'Storage', roles: BOTH, settings: STORAGE },
  { title: 'Storage in a bucket (STORAGE=s3://…)', roles: BOTH, settings: S3 },
  { title: 'Receiving uploads', roles: BOTH, settings: RECEIVING },
  { title: 'Import from an address', roles: BOTH, settings: IMPORTS },
  { title: 'Held responses', roles: ['api'], settings: HELD_RESPONSES },
  { title: 'Downloads', roles: ['api'], settings: DOWNLOADS },
  { title: 'Queue and records', roles: ['api'], settings: QUEUE },
  { title: 'Worker processes', roles: [], settings: STARTING },
  { title: 'Work of a worker', roles: ['worker'], settings: WORK },
  { title: 'Processors of other file types', roles: BOTH, settings: PROCESSORS },
  { title: 'Pictures', roles: EVERYWHERE, settings: PICTURE_REQUESTS },
  { title: 'Processing pictures', roles: PROCESSING, settings: PICTURES },
  { title: 'Tables', roles: PROCESSING, settings: TABLES },
  { title: 'Life of an upload and of a process', roles: BOTH, settings: LIFE_OF_UPLOADS },
  { title: 'Shutdown of API processes', roles: ['api'], settings: SHUTDOWN },
  { title: 'Webhooks', roles: BOTH, settings: WEBHOOK_TARGET },
  { title: 'Sending webhooks', roles: ['worker'], settings: WEBHOOK_SENDING },
  { title: 'Log', roles: EVERYWHERE, settings: LOGGING },
];
