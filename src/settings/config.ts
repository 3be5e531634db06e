import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { ANY_HOST, isLoopbackHost } from '../access/allowed-hosts.ts';
import { ACCESS, accessContradiction, accessMode } from './access-settings.ts';
import { MANAGEMENT, managementContradiction, managementPlace } from './management-settings.ts';
import { REDIS, redisContradiction, redisPlace } from './redis-settings.ts';
import { environmentFor, ROLE_VARIABLE, withoutSettings } from './roles.ts';
import { S3, s3Settings } from './s3-settings.ts';
import { TABLES } from './processing-settings.ts';
import { webhookContradiction } from './webhook-settings.ts';
import { PLAIN_SETTINGS, type ChildRole } from './sections.ts';

/** Maximum size of a file in S3, which allows 10,000 parts. This service sends parts of 8 MiB. */
const S3_MAX_FILE_BYTES = 10_000 * 8 * 1024 * 1024;

const MAX_DEFAULT_WORKERS = 256;

/** Share of a limit that one client address gets by default, if strangers can reach the service. */
const SHARE_OF_ONE_ADDRESS = 0.1;

/** Requests per minute that create uploads, from one client address, if strangers can reach the service. */
const CREATIONS_OF_ONE_ADDRESS = 600;

const settingsSchema = z
  .object({ ...PLAIN_SETTINGS, ...ACCESS, ...MANAGEMENT, ...REDIS, ...S3, ...TABLES })
  .transform((values, context) => {
    const found =
      accessContradiction(values) ??
      managementContradiction(values) ??
      webhookContradiction(values) ??
      redisContradiction(values) ??
      contradiction(values);
    if (found === undefined) return toConfig(values);
    context.addIssue(found);
    return z.NEVER;
  });

/** All settings under their own names, as read and with their defaults. */
export type Settings = z.infer<
  z.ZodObject<typeof PLAIN_SETTINGS & typeof ACCESS & typeof MANAGEMENT & typeof REDIS & typeof S3 & typeof TABLES>
>;

/**
 * All settings. A member has the name of its setting in camelCase, and is described there (sections.ts);
 * only `access`, `management`, `redis`, `s3` and `tableLimits` are made of several settings.
 */
export type Config = z.infer<typeof settingsSchema>;

/** Limits that a worker applies to one table. */
export type TableLimits = Config['tableLimits'];

/** The settings are wrong. The message is one line with all mistakes. The process exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  static readonly exitCode = 78;
}

/**
 * Reads all settings. Throws a ConfigError that lists all mistakes. An empty value counts as not set.
 * Without an argument it reads the environment, and `.env` in the working directory for variables that are not set
 * there. A process that another process of the service has started does not read `.env`.
 */
export function loadConfig(environment: Record<string, string | undefined> = processEnvironment()): Config {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const parsed = settingsSchema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].join(' ').trim());
  throw new ConfigError(`wrong settings: ${mistakes.join('; ')}`);
}

/**
 * Returns the part of this process's environment that a child of the role needs; see `environmentFor`.
 * @param settings the settings of the child. Default: those in the environment.
 */
export function childEnvironment(role: ChildRole, settings?: Readonly<Record<string, string>>): Record<string, string> {
  if (settings === undefined) return environmentFor(role, process.env);
  return environmentFor(role, { ...withoutSettings(process.env), ...settings });
}

/** Returns the environment of a program that processes a file: nothing of the service, and no secret. */
export function programEnvironment(home: string): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', LANG = 'C.UTF-8' } = process.env;
  return { PATH, LANG, HOME: home, TMPDIR: home };
}

/** True if another process of the service, such as `npm start`, has started this one. */
export function isOwnChild(): boolean {
  return process.env[ROLE_VARIABLE] !== undefined;
}

function processEnvironment(): Record<string, string | undefined> {
  if (!isOwnChild() && existsSync('.env')) loadEnvFile('.env');
  // Amazon's SDK warns about Node versions that its future releases will not support. The installed SDK supports this
  // version.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return process.env;
}

/** Does the same as `process.loadEnvFile`, but accepts a byte order mark. Variables that are already set win. */
function loadEnvFile(path: string): void {
  const content = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  for (const [name, value] of Object.entries(parseEnv(content))) process.env[name] ??= value;
}

function toConfig(values: Settings) {
  const isLocal = isLoopbackHost(values.HOST);
  const access = accessMode(values);
  // A proxy on this machine brings clients of other machines.
  const isExposed = !isLocal || values.TRUSTED_PROXIES.length > 0;
  const shareOf = (limit: number): number => (isExposed ? Math.ceil(limit * SHARE_OF_ONE_ADDRESS) : 0);
  return {
    ...plainSettings(values),
    access,
    accessFile: values.ACCESS_FILE,
    management: managementPlace(values),
    allowedHosts: allowedHostsOf(values, isLocal && access === 'open'),
    deferredMaxHeldPerAddress: values.DEFERRED_MAX_HELD_PER_ADDRESS ?? shareOf(values.DEFERRED_MAX_HELD),
    createPerMinutePerAddress: values.CREATE_PER_MINUTE_PER_ADDRESS ?? (isExposed ? CREATIONS_OF_ONE_ADDRESS : 0),
    recordsMaxPerAddress: values.RECORDS_MAX_PER_ADDRESS ?? shareOf(values.RECORDS_MAX),
    // Idle processes cost memory, so the others wait for the first upload unless somebody asks for a number.
    workersAtStart: values.WORKERS ?? 1,
    workers: values.WORKERS ?? Math.min(availableParallelism(), MAX_DEFAULT_WORKERS),
    redis: redisPlace(values),
    s3: s3Settings(values),
    tableLimits: {
      maxLineBytes: values.TABLE_MAX_LINE_BYTES,
      maxColumns: values.TABLE_MAX_COLUMNS,
      maxUnpackedBytes: values.TABLE_MAX_UNPACKED_BYTES,
      maxOutputBytes: values.TABLE_MAX_OUTPUT_BYTES,
    },
  };
}

/** Returns the allowed host names. A service that others reach cannot know its names, so by default it allows all. */
function allowedHostsOf({ ALLOWED_HOSTS: given }: Settings, isLoopbackOnly: boolean): readonly string[] {
  return given.length > 0 || isLoopbackOnly ? given : [ANY_HOST];
}

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Lowercase<First>}${Capitalize<CamelCase<Rest>>}`
  : Lowercase<Name>;

type PlainSettings = {
  readonly [Name in keyof typeof PLAIN_SETTINGS as CamelCase<Name>]: z.infer<(typeof PLAIN_SETTINGS)[Name]>;
};

/** Keeps the settings of `PLAIN_SETTINGS`, under their names in camelCase. */
function plainSettings(values: Settings): PlainSettings {
  const members = Object.entries(values)
    .filter(([name]) => Object.hasOwn(PLAIN_SETTINGS, name))
    .map(([name, value]) => [name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]);
  return Object.fromEntries(members) as PlainSettings;
}

/** Returns a sentence about settings that exclude each other. Undefined if they fit together. */
function contradiction(values: Settings): string | undefined {
  if (values.DEFERRED_TIMEOUT_MS > values.DEFERRED_MAX_TIMEOUT_MS)
    return 'DEFERRED_TIMEOUT_MS must not exceed DEFERRED_MAX_TIMEOUT_MS';
  if (values.UPLOAD_MAX_BYTES > values.UPLOAD_MAX_REQUEST_BYTES)
    return 'UPLOAD_MAX_BYTES must not exceed UPLOAD_MAX_REQUEST_BYTES';
  if (values.STORAGE.startsWith('s3:') && values.UPLOAD_MAX_BYTES > S3_MAX_FILE_BYTES)
    return `UPLOAD_MAX_BYTES must not exceed ${S3_MAX_FILE_BYTES} with STORAGE=s3://…`;
  return undefined;
}
