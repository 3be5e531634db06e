import { ConfigError, loadConfig, type Config, type Settings } from './config.ts';
import type { ProcessorSource } from '../kinds/own/load-processors.ts';
import { SECTIONS } from './sections.ts';

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Lowercase<First>}${Capitalize<CamelCase<Rest>>}`
  : Lowercase<Name>;

/** The type of an option that is not given as text. A list is a list of texts, and `true` or `false` is a boolean. */
type OptionOf<Value> = Value extends 'true' | 'false'
  ? boolean
  : Value extends readonly unknown[]
    ? readonly string[]
    : Value extends string | number
      ? Value
      : object;

/** Every setting of `.env.example` under its name in camelCase: `queueCapacity` for `QUEUE_CAPACITY`. */
export type SettingOptions = {
  readonly [Name in keyof Settings as CamelCase<Name>]?: OptionOf<NonNullable<Settings[Name]>> | string | undefined;
};

/** The settings of a service or a worker that runs inside another application. */
export interface EmbeddingOptions extends Omit<SettingOptions, 'processors'> {
  /** Modules, packages and manifests as in `PROCESSORS`, and objects that `defineProcessor` has made. */
  readonly processors?: string | readonly ProcessorSource[] | undefined;
  /** A short name of `redisUrl`. Default: `redis://127.0.0.1:6379`. */
  readonly redis?: string | undefined;
  /** A short name of `workerKinds`: the kinds of files that a worker takes. Default: all. */
  readonly kinds?: readonly string[] | undefined;
}

/** Settings that were given as options, read and checked. */
interface ReadOptions {
  readonly config: Config;
  /** The same settings as environment variables, for child processes. */
  readonly environment: Record<string, string>;
  /** The option `processors`. Objects have no place in the settings. */
  readonly processors: readonly ProcessorSource[];
}

const OPTION_NAMES: ReadonlyMap<string, string> = new Map(
  SECTIONS.flatMap(({ settings }) => Object.keys(settings).map((name) => [name, optionName(name)] as const)),
);

const SETTING_NAMES: ReadonlyMap<string, string> = new Map([
  ...[...OPTION_NAMES].map(([setting, option]) => [option, setting] as const),
  ['redis', 'REDIS_URL'],
  ['kinds', 'WORKER_KINDS'],
]);

/**
 * Reads options. The environment of the process is not read. Throws a `ConfigError` that lists all mistakes under the
 * names of the options.
 */
export function readOptions({ processors, ...options }: EmbeddingOptions): ReadOptions {
  const named = typeof processors === 'string' ? { ...options, processors } : options;
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  const unknown = given.filter(([name]) => !SETTING_NAMES.has(name)).map(([name]) => name);
  if (unknown.length > 0)
    throw new ConfigError(`unknown options: ${unknown.join(', ')}. Each has the name of a setting in camelCase.`);
  const environment = Object.fromEntries(
    given.map(([name, value]) => [SETTING_NAMES.get(name) ?? name, textOf(name, value)]),
  );
  const config = loadUnderOptionNames(environment);
  return { config, environment, processors: typeof processors === 'object' ? processors : config.processors };
}

/**
 * Returns the settings in an environment as options, such as `createService(fromEnvironment(process.env))`. Other
 * variables and empty ones are left out.
 */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): SettingOptions {
  const given = [...OPTION_NAMES].map(([setting, option]) => [option, environment[setting]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined && value !== ''));
}

function loadUnderOptionNames(environment: Record<string, string>): Config {
  try {
    return loadConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.message.replace(/[A-Z][A-Z0-9_]+/g, (name) => OPTION_NAMES.get(name) ?? name));
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map(String).join(',');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  throw new ConfigError(`the option ${name} is a ${typeof value}. Give it as in .env.example, as text or number.`);
}

function optionName(setting: string): string {
  return setting.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
