import type { Settings } from './schema.ts';

/** A kind of process that another one starts. `server`: a program that is not ours, such as Redis. */
export type ChildRole = 'api' | 'worker' | 'isolated' | 'server';

/** Which processes get a setting; `start` is `npm start` itself, which has them all. */
const BOTH: readonly ChildRole[] = ['api', 'worker'];
const API: readonly ChildRole[] = ['api'];
const WORKER: readonly ChildRole[] = ['worker'];
/** What processors are made of. */
const PROCESSING: readonly ChildRole[] = ['worker', 'isolated'];
const EVERYWHERE: readonly ChildRole[] = ['api', 'worker', 'isolated'];
const START: readonly ChildRole[] = [];

/** Every setting with the processes that need it. A secret goes to no other. */
export const SETTING_ROLES: Readonly<Record<keyof Settings, readonly ChildRole[]>> = {
  HOST: API,
  PORT: API,
  REDIS_URL: BOTH,
  REDIS_SENTINELS: BOTH,
  REDIS_SENTINEL_NAME: BOTH,
  REDIS_SENTINEL_PASSWORD: BOTH,
  REDIS_CLUSTER_NODES: BOTH,
  REDIS_USERNAME: BOTH,
  REDIS_PASSWORD: BOTH,
  REDIS_TLS: BOTH,
  REDIS_TLS_CA: BOTH,
  REDIS_TLS_CERT: BOTH,
  REDIS_TLS_KEY: BOTH,
  QUEUE_PREFIX: BOTH,
  EVENT_BUS: BOTH,
  STORAGE: BOTH,
  STORAGE_ADOPT: BOTH,
  S3_ENDPOINT: BOTH,
  S3_REGION: BOTH,
  S3_FORCE_PATH_STYLE: BOTH,
  S3_CHECKSUMS: BOTH,
  STORAGE_RESERVE_BYTES: BOTH,
  UPLOAD_MAX_BYTES: API,
  UPLOAD_MAX_REQUEST_BYTES: API,
  UPLOAD_MAX_FILES: API,
  UPLOAD_MAX_FIELDS: API,
  UPLOAD_MAX_FIELD_BYTES: API,
  HTTP_MAX_HEADER_BYTES: API,
  UPLOAD_MAX_OPEN: API,
  UPLOAD_MAX_OPEN_PER_ADDRESS: API,
  UPLOAD_HASH: API,
  UPLOAD_STALL_TIMEOUT_MS: API,
  UPLOAD_MIN_BYTES_PER_S: API,
  UPLOAD_SILENCE_MS: BOTH,
  UPLOAD_EXPIRY_MS: API,
  TRUSTED_PROXIES: API,
  CORS_ORIGINS: API,
  ALLOWED_HOSTS: API,
  OPERATORS_TOKEN: API,
  DEFERRED_TIMEOUT_MS: API,
  DEFERRED_MAX_TIMEOUT_MS: API,
  DEFERRED_MAX_HELD: API,
  DEFERRED_MAX_HELD_PER_ADDRESS: API,
  QUEUE_CAPACITY: API,
  QUEUE_OVERFLOW: API,
  QUEUE_CAPACITY_PER_ADDRESS: API,
  RECORDS_MAX: API,
  RECORDS_MAX_PER_ADDRESS: API,
  WORKERS: START,
  WORKER_CONCURRENCY: WORKER,
  ATTEMPT_TIMEOUT_MS: WORKER,
  PICTURE_MAX_PIXELS: PROCESSING,
  PICTURE_MAX_FRAMES: PROCESSING,
  PICTURE_MAX_OUTPUT_PIXELS: EVERYWHERE,
  PICTURE_STEP_TIMEOUT_MS: PROCESSING,
  PICTURE_OPTIONS: EVERYWHERE,
  TABLE_MAX_LINE_BYTES: PROCESSING,
  TABLE_MAX_COLUMNS: PROCESSING,
  TABLE_MAX_UNPACKED_BYTES: PROCESSING,
  TABLE_MAX_OUTPUT_BYTES: PROCESSING,
  SWEEP_PERIOD_MS: WORKER,
  RETENTION_MS: BOTH,
  SHUTDOWN_DELAY_MS: API,
  SHUTDOWN_GRACE_MS: BOTH,
  LOG_LEVEL: EVERYWHERE,
};

/** Tells a child that it has been given all its settings, and so reads no `.env`. */
export const ROLE_VARIABLE = 'DEFERRED_UPLOADS_ROLE';

/** What a program needs of any system: where things lie, and the language. */
const ANY_PROGRAM = /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ)$/;

/** What Node, its native libraries and their allocator read. None of them holds a secret. */
const ANY_NODE_PROCESS =
  /^(HOME|TMPDIR|NODE_(OPTIONS|ENV|EXTRA_CA_CERTS|NO_WARNINGS|DEBUG|COMPILE_CACHE|V8_COVERAGE)|SSL_CERT_(FILE|DIR)|UV_[A-Z_]+|MALLOC_[A-Z_]+|LD_(LIBRARY_PATH|PRELOAD)|DYLD_[A-Z_]+|VIPS_[A-Z_]+)$/;

/** The usual sources of Amazon's SDK, for a storage in a bucket. */
const AMAZON = /^AWS_[A-Z0-9_]+$/;

/** The variables of `environment` that a child of this role needs, and no others. */
export function environmentFor(
  role: ChildRole,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isFor(role, name)) chosen[name] = value;
  }
  return role === 'server' ? chosen : { ...chosen, [ROLE_VARIABLE]: role };
}

function isFor(role: ChildRole, name: string): boolean {
  if (ANY_PROGRAM.test(name)) return true;
  if (role === 'server') return false;
  if (isSetting(name)) return SETTING_ROLES[name].includes(role);
  return ANY_NODE_PROCESS.test(name) || (BOTH.includes(role) && AMAZON.test(name));
}

function isSetting(name: string): name is keyof Settings {
  return Object.hasOwn(SETTING_ROLES, name);
}
