/** One encoded word of RFC 2047. */
const ENCODED_WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^?\s]*)\?=\s*/iy;

/** The output of `encodeURIComponent`: all other characters are escaped. */
const PERCENT_ENCODED = /^(?:[\w\-.~!*'()]|%[\da-f]{2})+$/i;

/** Only a name with an escape beyond ASCII is decoded, because `100%25.png` may be the real name. */
const ESCAPE_BEYOND_ASCII = /%[89a-f][\da-f]/i;

/**
 * Returns the file name in the parameters of a `Content-Disposition`, whose characters are the bytes sent: `filename*`
 * (RFC 8187) if it can be decoded, then `filename`, then the continuations of RFC 2231 (`filename*0`). Undefined if
 * there is none.
 * @param unescape decodes the escapes that only the sender's format has.
 */
export function sentFileName(
  parameters: ReadonlyMap<string, string>,
  unescape: (name: string) => string = (name) => name,
): string | undefined {
  const extended = extendedValue(parameters.get('filename*'));
  if (extended !== undefined) return extended;
  const plain = parameters.get('filename');
  if (plain !== undefined) return decodedWhole(unescape(decodedBytes(plain)));
  return continuedValue(parameters);
}

/** Decodes UTF-8, which clients do not declare. Bytes that are not UTF-8 are most often windows-1252. */
function decodedBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return decode(bytes, 'utf-8') ?? decode(bytes, 'windows-1252') ?? latin1;
}

/** Decodes RFC 2047 and percent-encoding if the whole name is in it. Neither is allowed here, but clients send both. */
function decodedWhole(name: string): string {
  return encodedWords(name) ?? percentEncoded(name) ?? name;
}

function encodedWords(name: string): string | undefined {
  const words: string[] = [];
  ENCODED_WORD.lastIndex = 0;
  let end = 0;
  while (end < name.length) {
    const [found, charset = '', form = '', text = ''] = ENCODED_WORD.exec(name) ?? [];
    if (found === undefined) return undefined;
    end += found.length;
    const word = decode(form.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : quotedPrintable(text), charset);
    if (word === undefined) return undefined;
    words.push(word);
  }
  return words.length === 0 ? undefined : words.join('');
}

/** Decodes the form Q of RFC 2047 section 4.2. */
function quotedPrintable(text: string): Buffer {
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

function percentEncoded(name: string): string | undefined {
  return ESCAPE_BEYOND_ASCII.test(name) && PERCENT_ENCODED.test(name)
    ? decode(percentDecoded(name), 'utf-8')
    : undefined;
}

function extendedValue(value = ''): string | undefined {
  const [, charset, encoded = ''] = /^([\w-]+)'[^']*'(.+)$/.exec(value) ?? [];
  if (charset === undefined || /%(?![\da-f]{2})/i.test(encoded)) return undefined;
  return decode(percentDecoded(encoded), charset);
}

/** Joins segments (RFC 2231 section 3): `filename*0="a"; filename*1="b"`. `*` after a name means that it is encoded. */
function continuedValue(parameters: ReadonlyMap<string, string>): string | undefined {
  const segments: string[] = [];
  let isEncoded = false;
  for (;;) {
    const name = `filename*${segments.length}`;
    const encoded = parameters.get(`${name}*`);
    const segment = encoded ?? parameters.get(name)?.replace(/[%']/g, encodeURIComponent);
    if (segment === undefined) break;
    isEncoded ||= encoded !== undefined;
    segments.push(segment);
  }
  if (segments.length === 0) return undefined;
  const whole = segments.join('');
  return isEncoded ? (extendedValue(whole) ?? whole) : decodedBytes(percentDecoded(whole).toString('latin1'));
}

function percentDecoded(text: string): Buffer {
  const bytes = text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

/** Undefined if the bytes are not of this encoding, or if it is unknown. */
function decode(bytes: Buffer, charset: string): string | undefined {
  try {
    const decoder = new TextDecoder(charset, { fatal: true });
    // Without streaming, Node 20 decodes windows-1252 as Latin-1.
    return decoder.decode(bytes, { stream: true }) + decoder.decode();
  } catch {
    return undefined;
  }
}
