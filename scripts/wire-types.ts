import { componentSchemas } from '../src/wire/openapi/components.ts';

/** A node of a JSON Schema, as far as the schemas of the service use it. */
interface Node {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
}

/** A longer enum is the list of error codes, to which later versions add. Clients must accept any string there. */
const MAX_CLOSED_ENUM = 20;

const INDENT = '    ';
const LINE_LIMIT = 120;

/** Returns one exported TypeScript declaration for each JSON document of the service, by its name. */
export function wireTypes(): Map<string, string> {
  const schemas: Readonly<Record<string, Node>> = componentSchemas();
  return new Map(
    Object.entries(schemas).map(([name, schema]) => {
      const type = typeOf(schema, schemas, '');
      const declaration = type.startsWith('{') ? `interface ${name} ${type}` : `type ${name} = ${type};`;
      return [name, `${comment(schema, '')}export ${declaration}\n`];
    }),
  );
}

function typeOf(schema: Node, schemas: Readonly<Record<string, Node>>, indent: string): string {
  if (schema.$ref !== undefined) return referenceTo(schema.$ref.replace(/^.*\//, ''), schemas);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return options.map((option) => typeOf(option, schemas, indent)).join(' | ');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined && schema.enum.length <= MAX_CLOSED_ENUM) return schema.enum.map(literal).join(' | ');
  if (schema.properties !== undefined) return objectOf(schema, schemas, indent);
  if (schema.items !== undefined) {
    const item = typeOf(schema.items, schemas, indent);
    return item.includes(' | ') ? `(${item})[]` : `${item}[]`;
  }
  const types = [schema.type ?? 'unknown'].flat();
  return types.map((type) => (type === 'integer' ? 'number' : type)).join(' | ');
}

/** Returns the name of an object, a union or an enum. A plain string, such as an id, needs no name. */
function referenceTo(name: string, schemas: Readonly<Record<string, Node>>): string {
  const target = schemas[name];
  return target?.type === 'string' && target.enum === undefined ? 'string' : name;
}

function objectOf(schema: Node, schemas: Readonly<Record<string, Node>>, indent: string): string {
  const inner = indent + INDENT;
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const mark = schema.required?.includes(name) === true ? '' : '?';
    return `${comment(member, inner)}${inner}${name}${mark}: ${typeOf(member, schemas, inner)};`;
  });
  return ['{', ...members, `${indent}}`].join('\n');
}

/** Returns the first paragraph of a description as a comment, in lines of at most 120 characters. */
function comment({ description }: Node, indent: string): string {
  const text = description?.split('\n\n')[0];
  if (text === undefined) return '';
  const line = `${indent}/** ${text} */`;
  if (line.length <= LINE_LIMIT) return `${line}\n`;
  const lines = text.match(new RegExp(`\\S.{0,${LINE_LIMIT - indent.length - 4}}(?= |$)`, 'g')) ?? [];
  return [`${indent}/**`, ...lines.map((part) => `${indent} * ${part}`), `${indent} */`, ''].join('\n');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
