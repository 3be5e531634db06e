import type { Kind, OptionsCheck, OptionsOutcome, Sample } from '../kind.ts';
import { isObject } from './check-definition.ts';
import type { KindDefinition, OptionsSchema, SchemaIssue } from './definition.ts';

/** The names of derived files that the storage accepts. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

/** Turns a definition into a kind of the service. Errors of its functions do not reach the intake. */
export function ownKind<Options>(definition: KindDefinition<Options>): Kind<Options> {
  const { name, types, advice, hasPlaceholders } = definition;
  return {
    name,
    types,
    ...(definition.sniff === undefined ? {} : { sniff: (sample) => sniffSafely(definition, sample) }),
    ...(advice === undefined ? {} : { advice }),
    options: checkBy(definition.options),
    variantNames: (options) => namesSafely(definition, options),
    ...(definition.fileNames === undefined ? { mayHave: (file: string) => FILE_NAME.test(file) } : {}),
    ...(hasPlaceholders === undefined ? {} : { hasPlaceholders }),
  };
}

function sniffSafely(definition: Pick<KindDefinition<unknown>, 'sniff' | 'types'>, sample: Sample): string | undefined {
  try {
    const type = definition.sniff?.(sample);
    return type !== undefined && definition.types.includes(type) ? type : undefined;
  } catch {
    return undefined;
  }
}

function namesSafely<Options>(definition: KindDefinition<Options>, options: Options): readonly string[] {
  try {
    const names: unknown = definition.fileNames?.(options) ?? [];
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** Returns the check of options. Without a schema it accepts only an empty object, so that no option is ignored. */
function checkBy<Options>(schema: OptionsSchema<Options> | undefined): OptionsCheck<Options> {
  if (schema === undefined) return { safeParse: noOptions };
  return {
    safeParse(options) {
      try {
        const outcome = schema['~standard'].validate(options);
        if ('then' in outcome) return mistake('cannot be checked, because the schema is async');
        if (outcome.issues !== undefined) return { success: false, error: { issues: outcome.issues.map(toIssue) } };
        return { success: true, data: outcome.value };
      } catch {
        return mistake('cannot be checked');
      }
    },
  };
}

function noOptions<Options>(options: unknown): OptionsOutcome<Options> {
  const isEmpty = options === undefined || (isObject(options) && Object.keys(options).length === 0);
  // The definition has no schema, so `Options` is `NoOptions`.
  return isEmpty ? { success: true, data: {} as Options } : mistake('must be empty for files of this type');
}

function mistake<Options>(message: string): OptionsOutcome<Options> {
  return { success: false, error: { issues: [{ path: [], message }] } };
}

function toIssue({ message, path = [] }: SchemaIssue): { path: PropertyKey[]; message: string } {
  return { message, path: path.map((step) => (typeof step === 'object' ? step.key : step)) };
}
