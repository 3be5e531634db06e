import { acceptedTypes, type Kinds } from '../../kinds/kinds.ts';
import { schemaRef } from './components.ts';
import type { OpenApiDocument } from './shapes.ts';

/** The kinds with a result schema of their own. */
const DESCRIBED: ReadonlySet<string> = new Set(['picture', 'table']);

/** The two forms in which a description lists the types. */
const SPELLINGS = [
  (types: readonly string[]) => types.map((type) => `\`${type}\``).join(', '),
  (types: readonly string[]) => types.join(', '),
] as const;

/**
 * Lists the types that this service accepts in place of the default ones, and adds the options and results of the kinds
 * that `PROCESSORS` has added. Returns the document unchanged if there are neither.
 */
export function withKinds(document: OpenApiDocument, kinds: Kinds): OpenApiDocument {
  const names = [...new Set(kinds.types.map((type) => kinds.find(type)?.name ?? ''))].filter(
    (name) => !DESCRIBED.has(name),
  );
  const listed = mapStrings(document, listTypes(acceptedTypes(), kinds.types));
  return names.length === 0 ? listed : withResults(withOptions(listed, names), names);
}

function listTypes(from: readonly string[], to: readonly string[]): (text: string) => string {
  return (text) => SPELLINGS.reduce((changed, spell) => changed.replaceAll(spell(from), spell(to)), text);
}

function withResults(document: OpenApiDocument, names: readonly string[]): OpenApiDocument {
  const { schemas } = document.components;
  const OtherResult = {
    type: 'object',
    required: ['kind'],
    properties: { kind: { type: 'string', enum: names } },
    additionalProperties: true,
    description: 'The result of a kind that the operators of this service have added. They document its members.',
  };
  const Result = { anyOf: [schemas['Result'], OtherResult] };
  return { ...document, components: { ...document.components, schemas: { ...schemas, OtherResult, Result } } };
}

/** Adds a schema in every place that lists the schemas of options. */
function withOptions(document: OpenApiDocument, names: readonly string[]): OpenApiDocument {
  const { $ref } = schemaRef('TableOptions');
  const other = { type: 'object', description: `Options of a file of the kinds ${names.join(', ')}.` };
  return mapObjects(document, (object) =>
    Array.isArray(object['anyOf']) && object['anyOf'].some((schema: unknown) => refOf(schema) === $ref)
      ? { ...object, anyOf: [...(object['anyOf'] as unknown[]), other] }
      : object,
  );
}

function refOf(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && '$ref' in schema ? schema.$ref : undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

function mapStrings<Value>(value: Value, change: (text: string) => string): Value {
  return JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
    typeof member === 'string' ? change(member) : member,
  ) as Value;
}

function mapObjects<Value>(value: Value, change: (object: JsonObject) => JsonObject): Value {
  return JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member) ? change(member as JsonObject) : member,
  ) as Value;
}
