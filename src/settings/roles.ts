import { SECTIONS, type ChildRole } from './sections.ts';

const SETTING_ROLES: ReadonlyMap<string, readonly ChildRole[]> = new Map(
  SECTIONS.flatMap(({ roles, settings }) => Object.keys(settings).map((name) => [name, roles])),
);

/** Set in the environment of a child. The child has all its settings from its parent, so it reads no `.env`. */
export const ROLE_VARIABLE = 'DEFERRED_UPLOADS_ROLE';

/** Every program needs these variables: the folders of programs, the language and the time zone. */
const ANY_PROGRAM = /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ)$/;

/** Variables that Node, its native libraries and their allocator read. None of them contains a secret. */
const ANY_NODE_PROCESS =
  /^(HOME|TMPDIR|NODE_(OPTIONS|ENV|EXTRA_CA_CERTS|NO_WARNINGS|DEBUG|COMPILE_CACHE|V8_COVERAGE)|SSL_CERT_(FILE|DIR)|UV_[A-Z_]+|MALLOC_[A-Z_]+|LD_(LIBRARY_PATH|PRELOAD)|DYLD_[A-Z_]+|VIPS_[A-Z_]+)$/;

/** Variables that an OpenTelemetry SDK reads. The headers of its exporter may contain a secret. */
const OPEN_TELEMETRY = /^OTEL_[A-Z0-9_]+$/;

/** Variables that Amazon's SDK reads, for a storage in a bucket. */
const AMAZON = /^AWS_[A-Z0-9_]+$/;

/** Returns the variables of `environment` that a child of this role needs, and no others. */
export function environmentFor(
  role: ChildRole,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isFor(role, name)) chosen[name] = value;
  }
  if (role === 'server') return chosen;
  // NODE_OPTIONS may load an SDK in every process, but an isolated process has neither spans nor an exporter.
  const off = role === 'isolated' ? { OTEL_SDK_DISABLED: 'true' } : {};
  return { ...chosen, ...off, [ROLE_VARIABLE]: role };
}

/** Returns the variables that are not settings of the service. */
export function withoutSettings(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !SETTING_ROLES.has(name)));
}

function isFor(role: ChildRole, name: string): boolean {
  if (ANY_PROGRAM.test(name)) return true;
  if (role === 'server') return false;
  const roles = SETTING_ROLES.get(name);
  if (roles !== undefined) return roles.includes(role);
  return ANY_NODE_PROCESS.test(name) || (role !== 'isolated' && (AMAZON.test(name) || OPEN_TELEMETRY.test(name)));
}
