import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { ANY_HOST } from '../access/allowed-hosts.ts';
import { isLoopbackHost } from '../access/loopback-host.ts';
import type { PictureOptions } from '../kinds/picture-options.ts';
import type { RedisPlace, RedisTls } from '../queue/redis-place.ts';
import { environmentFor, ROLE_VARIABLE, type ChildRole } from './roles.ts';
import { contradiction, settingsSchema, usesTls, type Settings } from './schema.ts';

/** How a bucket is reached. Credentials come from the usual sources of Amazon's SDK. */
export interface S3Settings {
  /** Undefined: Amazon's own. */
  readonly endpoint: string | undefined;
  /** Undefined: what the usual sources say. */
  readonly region: string | undefined;
  /** The bucket in the path, not in the host's name. */
  readonly forcePathStyle: boolean;
  readonly checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';
}

/** What one table may ask of a worker. */
export interface TableLimits {
  /** Of one record, with all lines that its quotes hold together. */
  readonly maxLineBytes: number;
  readonly maxColumns: number;
  /** Of all parts of a workbook that are read, as their archive unpacks. */
  readonly maxUnpackedBytes: number;
  /** Of the rows as JSON Lines, in which every row repeats the names of its columns. */
  readonly maxOutputBytes: number;
}

/** Settings in the words of the code. Units stand in the names. */
export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Undefined where none was given: `npm start` then brings a Redis of its own. */
  readonly redis: RedisPlace | undefined;
  readonly queuePrefix: string;
  /** How API processes hear of changes; the same in all processes. */
  readonly eventBus: Settings['EVENT_BUS'];
  readonly uploadHash: Settings['UPLOAD_HASH'];
  readonly storage: string;
  /** Installation whose files are taken over, or `new`. Undefined: none. */
  readonly storageAdopt: string | undefined;
  readonly s3: S3Settings;
  /** Free disk that uploads leave alone. */
  readonly storageReserveBytes: number;
  readonly maxFileBytes: number;
  readonly maxRequestBytes: number;
  readonly maxFiles: number;
  readonly maxFields: number;
  readonly maxFieldBytes: number;
  /** Of all headers of one request; those of a part of a form have 16 KiB. */
  readonly maxHeaderBytes: number;
  /** Bodies received at once by one process, in all and from one client address; 0 means no limit. */
  readonly maxOpenUploads: number;
  readonly maxOpenUploadsPerAddress: number;
  /** The least average of a body over a minute; 0 means none. */
  readonly uploadMinBytesPerS: number;
  readonly uploadStallTimeoutMs: number;
  /** After so long without a byte a receiving upload has lost its process; above `uploadStallTimeoutMs`. */
  readonly uploadSilenceMs: number;
  /** A resumable upload to which nothing was added for so long is given up. */
  readonly uploadExpiryMs: number;
  readonly trustedProxies: readonly string[];
  /** Host names that requests may be sent to besides loopback names and `host`; `*` alone means every name. */
  readonly allowedHosts: readonly string[];
  /** Whose pages may use the API from elsewhere; `*` alone means everybody's. */
  readonly corsOrigins: readonly string[];
  /** A secret. Undefined: there is no page for operators. */
  readonly operatorsToken: string | undefined;
  readonly deferredTimeoutMs: number;
  readonly deferredMaxTimeoutMs: number;
  readonly deferredMaxHeld: number;
  /** 0 means no limit. */
  readonly deferredMaxHeldPerAddress: number;
  /** Uploads that may wait for a worker, over all processes, and what becomes of one too many. */
  readonly queueCapacity: number;
  readonly queueOverflow: Settings['QUEUE_OVERFLOW'];
  /** For one client address; 0 means no limit. */
  readonly queueCapacityPerAddress: number;
  /** Records of uploads in Redis, of whatever state. */
  readonly maxRecords: number;
  /** Of one client address; 0 means no limit. */
  readonly maxRecordsPerAddress: number;
  /** Worker processes that `npm start` runs. */
  readonly workers: number;
  /** Jobs in hand at once, for one worker process. */
  readonly workerConcurrency: number;
  /** How long one attempt at processing an upload may take. */
  readonly attemptTimeoutMs: number;
  readonly pictureMaxPixels: number;
  /** Frames of an animation, pages of a TIFF. */
  readonly pictureMaxFrames: number;
  /** Of all variants of one picture, counted by what their formats cost. */
  readonly pictureMaxOutputPixels: number;
  readonly pictureStepTimeoutMs: number;
  /** What is made of a picture whose sender does not say. */
  readonly pictureOptions: PictureOptions;
  readonly tableLimits: TableLimits;
  /** How often one worker of all puts in order what processes that died have left. */
  readonly sweepPeriodMs: number;
  readonly retentionMs: number;
  readonly shutdownDelayMs: number;
  readonly shutdownGraceMs: number;
  readonly logLevel: Settings['LOG_LEVEL'];
}

/** One line that names every wrong setting; a process that meets it exits with 78 (EX_CONFIG of sysexits). */
export class ConfigError extends Error {
  static readonly exitCode = 78;
}

/**
 * Reads all settings at once, so that one start shows every mistake.
 * An empty value counts as not set. Without an argument it reads the environment and, unless another process of ours
 * has given it, for what that leaves open, `.env` in the working directory.
 */
export function loadConfig(environment: Record<string, string | undefined> = processEnvironment()): Config {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const parsed = settingsSchema.safeParse(Object.fromEntries(given));
  if (!parsed.success) throw new ConfigError(inOneLine(parsed.error));
  const found = contradiction(parsed.data);
  if (found !== undefined) throw new ConfigError(`wrong settings: ${found}`);
  return inWordsOfTheCode(parsed.data);
}

/** The part of this process's environment that a child of the role needs; see `environmentFor`. */
export function childEnvironment(role: ChildRole): Record<string, string> {
  return environmentFor(role, process.env);
}

/** True if another process of ours, such as `npm start`, has started this one. */
export function isOwnChild(): boolean {
  return process.env[ROLE_VARIABLE] !== undefined;
}

function processEnvironment(): Record<string, string | undefined> {
  if (!isOwnChild() && existsSync('.env')) loadEnvFile('.env');
  // Amazon's SDK would warn of versions to come; the one in use knows this Node.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return process.env;
}

/** As Node's own, but editors that begin a file with a byte order mark cost no setting. The environment wins. */
function loadEnvFile(path: string): void {
  const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
}

function inOneLine(error: z.ZodError): string {
  const mistakes = error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
  return `wrong settings: ${mistakes.join('; ')}`;
}

function inWordsOfTheCode(values: Settings): Config {
  return {
    host: values.HOST,
    port: values.PORT,
    redis: redisPlace(values),
    queuePrefix: values.QUEUE_PREFIX,
    eventBus: values.EVENT_BUS,
    uploadHash: values.UPLOAD_HASH,
    storage: values.STORAGE,
    storageAdopt: values.STORAGE_ADOPT,
    s3: s3Settings(values),
    storageReserveBytes: values.STORAGE_RESERVE_BYTES,
    maxFileBytes: values.UPLOAD_MAX_BYTES,
    maxRequestBytes: values.UPLOAD_MAX_REQUEST_BYTES,
    maxFiles: values.UPLOAD_MAX_FILES,
    maxFields: values.UPLOAD_MAX_FIELDS,
    maxFieldBytes: values.UPLOAD_MAX_FIELD_BYTES,
    maxHeaderBytes: values.HTTP_MAX_HEADER_BYTES,
    maxOpenUploads: values.UPLOAD_MAX_OPEN,
    maxOpenUploadsPerAddress: values.UPLOAD_MAX_OPEN_PER_ADDRESS,
    uploadMinBytesPerS: values.UPLOAD_MIN_BYTES_PER_S,
    uploadStallTimeoutMs: values.UPLOAD_STALL_TIMEOUT_MS,
    uploadSilenceMs: values.UPLOAD_SILENCE_MS,
    uploadExpiryMs: values.UPLOAD_EXPIRY_MS,
    trustedProxies: values.TRUSTED_PROXIES,
    allowedHosts: allowedHostNames(values),
    corsOrigins: values.CORS_ORIGINS,
    operatorsToken: values.OPERATORS_TOKEN,
    deferredTimeoutMs: values.DEFERRED_TIMEOUT_MS,
    deferredMaxTimeoutMs: values.DEFERRED_MAX_TIMEOUT_MS,
    deferredMaxHeld: values.DEFERRED_MAX_HELD,
    deferredMaxHeldPerAddress: maxHeldPerAddress(values),
    queueCapacity: values.QUEUE_CAPACITY,
    queueOverflow: values.QUEUE_OVERFLOW,
    queueCapacityPerAddress: values.QUEUE_CAPACITY_PER_ADDRESS,
    maxRecords: values.RECORDS_MAX,
    maxRecordsPerAddress: maxRecordsPerAddress(values),
    workers: values.WORKERS,
    workerConcurrency: values.WORKER_CONCURRENCY,
    attemptTimeoutMs: values.ATTEMPT_TIMEOUT_MS,
    pictureMaxPixels: values.PICTURE_MAX_PIXELS,
    pictureMaxFrames: values.PICTURE_MAX_FRAMES,
    pictureMaxOutputPixels: values.PICTURE_MAX_OUTPUT_PIXELS,
    pictureStepTimeoutMs: values.PICTURE_STEP_TIMEOUT_MS,
    pictureOptions: values.PICTURE_OPTIONS,
    tableLimits: {
      maxLineBytes: values.TABLE_MAX_LINE_BYTES,
      maxColumns: values.TABLE_MAX_COLUMNS,
      maxUnpackedBytes: values.TABLE_MAX_UNPACKED_BYTES,
      maxOutputBytes: values.TABLE_MAX_OUTPUT_BYTES,
    },
    sweepPeriodMs: values.SWEEP_PERIOD_MS,
    retentionMs: values.RETENTION_MS,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    logLevel: values.LOG_LEVEL,
  };
}

/** Beyond the loopback interface the names by which the service is reached are not known to it. */
function allowedHostNames(values: Settings): readonly string[] {
  if (values.ALLOWED_HOSTS.length > 0 || isLoopbackHost(values.HOST)) return values.ALLOWED_HOSTS;
  return [ANY_HOST];
}

/** Strangers reach the service only beyond the loopback interface; one address gets a tenth of the places there. */
function maxHeldPerAddress(values: Settings): number {
  const derived = isLoopbackHost(values.HOST) ? 0 : Math.ceil(values.DEFERRED_MAX_HELD / 10);
  return values.DEFERRED_MAX_HELD_PER_ADDRESS ?? derived;
}

/** As for held responses: beyond the loopback interface one address gets a tenth. */
function maxRecordsPerAddress(values: Settings): number {
  const derived = isLoopbackHost(values.HOST) ? 0 : Math.ceil(values.RECORDS_MAX / 10);
  return values.RECORDS_MAX_PER_ADDRESS ?? derived;
}

function redisPlace(values: Settings): RedisPlace | undefined {
  const {
    REDIS_URL: url,
    REDIS_CLUSTER_NODES: nodes,
    REDIS_SENTINELS: sentinels,
    REDIS_USERNAME: username,
    REDIS_PASSWORD: password,
  } = values;
  const tls = usesTls(values) ? redisTls(values) : undefined;
  if (nodes.length > 0) return { nodes, username, password, tls };
  if (sentinels.length === 0) return url === undefined || tls === undefined ? url : { url, tls };
  return {
    sentinels,
    masterName: values.REDIS_SENTINEL_NAME,
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
    username,
    password,
    tls,
  };
}

function redisTls(values: Settings): RedisTls {
  return {
    ca: readFile(values, 'REDIS_TLS_CA'),
    cert: readFile(values, 'REDIS_TLS_CERT'),
    key: readFile(values, 'REDIS_TLS_KEY'),
  };
}

function readFile(values: Settings, name: 'REDIS_TLS_CA' | 'REDIS_TLS_CERT' | 'REDIS_TLS_KEY'): string | undefined {
  const path = values[name];
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Servers other than Amazon's have their buckets in the path, and few know its checksums. */
function s3Settings(values: Settings): S3Settings {
  const isAmazon = values.S3_ENDPOINT === undefined;
  const checksums = values.S3_CHECKSUMS ?? (isAmazon ? 'when_supported' : 'when_required');
  return {
    endpoint: values.S3_ENDPOINT,
    region: values.S3_REGION,
    forcePathStyle: values.S3_FORCE_PATH_STYLE === undefined ? !isAmazon : values.S3_FORCE_PATH_STYLE === 'true',
    checksums: checksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
  };
}
