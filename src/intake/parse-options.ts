import { ServiceError } from '../errors.ts';
import type { Kind } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/kinds.ts';

/** More would be no help; each is a line long at most. */
const MAX_MISTAKES = 3;

/** What a sender asks for, with what it left open filled in. Throws `bad_options` (400), which says what to change and where. */
export function parseOptions<Options>(kind: Pick<Kind<Options>, 'options'>, options: unknown): Options {
  const parsed = kind.options.safeParse(options);
  if (parsed.success) return parsed.data;
  const mistakes = [...new Set(parsed.error.issues.map(({ path, message }) => `${placeOf(path)} ${message}`))];
  const more = mistakes.length - MAX_MISTAKES;
  const told = [...mistakes.slice(0, MAX_MISTAKES), ...(more > 0 ? [`and ${more} more`] : [])];
  throw new ServiceError('bad_options', `${told.join('; ')}.`);
}

/** Options of at most so many characters of JSON are kept unchecked until the type of their file is known. */
const MOST_UNCHECKED = 1024;

/**
 * The options that a record may keep before the type of its file is known: short ones as they are, long ones if
 * some kind of file takes them, and none of the rest, which will be refused.
 */
export function keptOptions(kinds: Pick<Kinds, 'types' | 'find'>, options: unknown): unknown {
  if (JSON.stringify(options ?? {}).length <= MOST_UNCHECKED) return options;
  return areTakenBySome(kinds, options) ? options : {};
}

/** True for options that are right for some kind of file. */
export function areTakenBySome(kinds: Pick<Kinds, 'types' | 'find'>, options: unknown): boolean {
  return kinds.types.some((type) => kinds.find(type)?.options.safeParse(options).success === true);
}

/** As JavaScript would write it: `variants[3].name`. */
function placeOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return ['options', ...steps].join('');
}
