import { ServiceError } from '../errors.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { ticketForbids } from './ticket-rules.ts';

/** The name of the field with the options of the following files of a form. */
export const OPTIONS_FIELD = 'options';

/** The detail lists at most this many mistakes. */
const MAX_MISTAKES = 3;

/** Checks the options of a file and fills in the defaults. Throws `bad_options` (400), which lists the mistakes. */
export function parseOptions<Options>(kind: Pick<Kind<Options>, 'options'>, options: unknown): Options {
  const parsed = kind.options.safeParse(options);
  if (parsed.success) return parsed.data;
  const mistakes = [...new Set(parsed.error.issues.map(({ path, message }) => `${placeOf(path)} ${message}`))];
  const more = mistakes.length - MAX_MISTAKES;
  const listed = [...mistakes.slice(0, MAX_MISTAKES), ...(more > 0 ? [`and ${more} more`] : [])];
  throw new ServiceError('bad_options', `${listed.join('; ')}.`);
}

/** Parses the options of a preset. Throws `ticket_forbids` (403) if they do not fit the kind of the file. */
export function parsePreset<Options>(kind: Pick<Kind<Options>, 'options'>, options: unknown): Options {
  const parsed = kind.options.safeParse(options);
  if (parsed.success) return parsed.data;
  throw ticketForbids('The preset of the ticket is for another kind of file. Send such a file, or get another ticket.');
}

/** Options of at most this many characters of JSON are stored unchecked until the type of the file is known. */
const MOST_UNCHECKED = 1024;

/**
 * Returns the options that a record stores before the type of its file is known: short options unchanged, and long ones
 * if a file kind accepts them. Other options are dropped, because the file will be rejected.
 */
export function keptOptions(kinds: Pick<Kinds, 'types' | 'find'>, options: unknown): unknown {
  if (JSON.stringify(options ?? {}).length <= MOST_UNCHECKED) return options;
  return areTakenBySome(kinds, options) ? options : {};
}

/** True if the options are valid for a file kind. */
export function areTakenBySome(kinds: Pick<Kinds, 'types' | 'find'>, options: unknown): boolean {
  return kinds.types.some((type) => kinds.find(type)?.options.safeParse(options).success === true);
}

/** Returns the path as in JavaScript: `options.variants[3].name`. */
function placeOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return ['options', ...steps].join('');
}

/** Maximum length of options, several times that of useful ones. Each file of a form stores them in its record. */
const MAX_LENGTH = 8_192;

/** Maximum depth of options. No file kind has deeper ones. Much deeper ones would overflow the stack of code. */
const MAX_DEPTH = 32;

/**
 * Parses the JSON of options. The options are not yet checked for a file kind. Throws `bad_options` (400).
 * @param where the first words of the detail, which name the place of the options.
 */
export function readOptionsJson(json: string, where: string): unknown {
  if (json.length > MAX_LENGTH)
    throw new ServiceError(
      'bad_options',
      `${where} has more than ${MAX_LENGTH} characters. Send only values that differ from the defaults.`,
    );
  let options: unknown;
  try {
    options = JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ServiceError('bad_options', `${where} is not JSON. Send a JSON object.`, { cause: error });
  }
  requireShallow(options, where);
  return options;
}

/** Like `readOptionsJson`, for options that are a member of parsed JSON. */
export function requireShortOptions(options: unknown, where: string): unknown {
  requireShallow(options, where);
  return options === undefined ? undefined : readOptionsJson(JSON.stringify(options), where);
}

function requireShallow(options: unknown, where: string): void {
  if (isDeeperThan(MAX_DEPTH, options))
    throw new ServiceError(
      'bad_options',
      `${where} is nested deeper than ${MAX_DEPTH} levels. Send it with fewer levels.`,
    );
}

function isDeeperThan(levels: number, value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels; depth += 1) {
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}
