/** The form of a kind's name. It becomes a part of keys and of the names of queues. */
export const KIND_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** A media type in lower case, without parameters. */
export const MEDIA_TYPE = /^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,99}$/;

/** Returns the mistakes of a kind, each as a phrase. The list is empty if the kind can be used. */
export function checkKind(kind: unknown): string[] {
  if (!isObject(kind)) return ['kind must be an object'];
  const { name, types, options, advice } = kind;
  return [
    ...(typeof name === 'string' && KIND_NAME.test(name)
      ? []
      : ['name must be 1 to 32 lower-case letters, digits or hyphens, a letter first']),
    ...checkTypes(types),
    ...(options === undefined || isSchema(options) ? [] : ['options must be a Standard Schema, such as one of zod']),
    ...(advice === undefined || isTextTable(advice) ? [] : ['advice must be an object of strings']),
    ...['sniff', 'fileNames'].flatMap((member) =>
      kind[member] === undefined || typeof kind[member] === 'function' ? [] : [`${member} must be a function`],
    ),
  ];
}

/** Returns the mistakes of a processor and of its kind. The list is empty if it can be used. */
export function checkProcessor(processor: unknown): string[] {
  if (!isObject(processor)) return ['the processor must be an object'];
  const { kind, load, maxOutputBytes = 1 } = processor;
  return [
    ...checkKind(kind),
    ...(typeof load === 'function' ? [] : ['load must be a function']),
    ...(isPositiveInteger(maxOutputBytes) ? [] : ['maxOutputBytes must be a whole number of bytes above 0']),
  ];
}

/** Returns the mistakes of a list of media types. */
function checkTypes(types: unknown): string[] {
  if (!Array.isArray(types) || types.length === 0) return ['types must be a list of media types'];
  return types.flatMap((type: unknown, index) => {
    if (typeof type !== 'string' || !MEDIA_TYPE.test(type))
      return [`types[${index}] must be a media type in lower case, such as application/pdf`];
    return types.indexOf(type) === index ? [] : [`${type} is claimed twice`];
  });
}

/** True for any object that is no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPositiveInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** True for a Standard Schema. Those of some libraries are functions. */
function isSchema(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = '~standard' in value ? value['~standard'] : undefined;
  return isObject(standard) && typeof standard['validate'] === 'function';
}

function isTextTable(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}
