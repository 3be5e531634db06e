const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
/** Matches blanks and then one token of JSON (RFC 8259). */
const TOKEN = new RegExp(`[ \\t\\n\\r]*(?:(${STRING.source}|${NUMBER.source}|true|false|null)|([{}[\\],:]))`, 'y');

/** The tokens that may follow at a place of the text. */
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or end' | 'nothing';

/** An open object or array, with the names of the object so far. */
interface Open {
  bracket: '{' | '[';
  names: Set<string>;
}

/**
 * Returns the line and column at which a text stops being JSON or repeats a name of an object, such as `line 3, column
 * 7`. Undefined if the text has no such fault. The message of `JSON.parse` is not used, because it quotes the text,
 * which may contain a secret. `JSON.parse` also accepts repeated names.
 */
export function placeOfJsonFault(text: string): string | undefined {
  const offset = faultOffset(text);
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function faultOffset(text: string): number | undefined {
  const open: Open[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  for (;;) {
    TOKEN.lastIndex = offset;
    const found = TOKEN.exec(text);
    const next: Expected | undefined = found === null ? undefined : follow(expected, found, open);
    if (next === undefined) {
      const place = offset + (/[^ \t\n\r]|$/.exec(text.slice(offset))?.index ?? 0);
      return expected === 'nothing' && place === text.length ? undefined : place;
    }
    expected = next;
    offset = TOKEN.lastIndex;
  }
}

/** Returns what may come after the token; undefined if the token is wrong here. Keeps the list of open brackets. */
function follow(expected: Expected, [, scalar, sign]: RegExpExecArray, open: Open[]): Expected | undefined {
  const afterValue = (): Expected => (open.length === 0 ? 'nothing' : ', or end');
  if (expected === 'name' || expected === 'name or }') {
    if (scalar?.startsWith('"') === true) return addName(open.at(-1), scalar) ? ':' : undefined;
    return sign === '}' && expected === 'name or }' ? close(open, afterValue) : undefined;
  }
  if (expected === ':') return sign === ':' ? 'value' : undefined;
  if (expected === ', or end') {
    const bracket = open.at(-1)?.bracket;
    if (sign === ',') return bracket === '{' ? 'name' : 'value';
    return sign === (bracket === '{' ? '}' : ']') ? close(open, afterValue) : undefined;
  }
  if (expected === 'nothing') return undefined;
  if (scalar !== undefined) return afterValue();
  if (sign === ']' && expected === 'value or ]') return close(open, afterValue);
  if (sign !== '{' && sign !== '[') return undefined;
  open.push({ bracket: sign, names: new Set() });
  return sign === '{' ? 'name or }' : 'value or ]';
}

/** False if the object has the name already. */
function addName(object: Open | undefined, quoted: string): boolean {
  const name: unknown = JSON.parse(quoted);
  if (object === undefined || typeof name !== 'string' || object.names.has(name)) return false;
  object.names.add(name);
  return true;
}

function close(open: Open[], afterValue: () => Expected): Expected {
  open.pop();
  return afterValue();
}
