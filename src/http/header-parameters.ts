/** `;name=` before a value. The character classes are disjoint, so that a search takes linear time. */
const NAME = /;\s*([^=\s;"]+)\s*=\s*/y;

/** Nothing but blanks between the closing quote and the next parameter. */
const AFTER_QUOTE = /[ \t]*(?:;|$)/y;

/**
 * Returns the parameters of a header by their lower-case names. The first one of a name counts. Clients write file
 * names in many ways, so this accepts more than RFC 9110: values without quotes may contain blanks, and a quote ends a
 * quoted value only before a semicolon or the end. Only `\"` and `\\` are escapes, because old browsers send paths of
 * Windows unescaped.
 */
export function headerParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  let at = header.indexOf(';');
  while (at >= 0) {
    NAME.lastIndex = at;
    const name = NAME.exec(header)?.[1]?.toLowerCase();
    if (name === undefined) {
      at = header.indexOf(';', at + 1);
      continue;
    }
    const { value, end } = valueAt(header, NAME.lastIndex);
    if (!parameters.has(name)) parameters.set(name, value);
    at = header.indexOf(';', end);
  }
  return parameters;
}

function valueAt(header: string, start: number): { value: string; end: number } {
  if (header[start] === '"') return quotedAt(header, start + 1);
  const semicolon = header.indexOf(';', start);
  const end = semicolon < 0 ? header.length : semicolon;
  return { value: header.slice(start, end).trim(), end };
}

/** Reads a quoted value. If its closing quote is missing, it reaches to the end of the header. */
function quotedAt(header: string, start: number): { value: string; end: number } {
  let value = '';
  for (let at = start; at < header.length; at += 1) {
    const next = header[at + 1];
    if (header[at] === '\\' && (next === '"' || next === '\\')) {
      value += next;
      at += 1;
    } else if (header[at] === '"' && endsQuoted(header, at + 1)) {
      return { value, end: at + 1 };
    } else {
      value += header[at] ?? '';
    }
  }
  return { value, end: header.length };
}

function endsQuoted(header: string, at: number): boolean {
  AFTER_QUOTE.lastIndex = at;
  return AFTER_QUOTE.test(header);
}
