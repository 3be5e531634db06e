/** `attachment` with the name in both forms of RFC 6266, so that every browser finds one it can read. */
export function attachmentDisposition(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** `name=value` behind a semicolon; the value quoted or a token. */
const PARAMETER = /;\s*([^=\s;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;

/**
 * The name that a request's own `Content-Disposition` gives: `filename*` (RFC 8187) where it can be decoded,
 * else `filename`; undefined where it gives none.
 */
export function dispositionFileName(header: string): string | undefined {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, token] of header.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  }
  const plain = parameters.get('filename');
  // Node decodes header bytes as latin1, but clients send UTF-8 without declaring it.
  return (
    extendedValue(parameters.get('filename*')) ??
    (plain === undefined ? undefined : Buffer.from(plain, 'latin1').toString('utf8'))
  );
}

function extendedValue(value: string | undefined): string | undefined {
  const encoded = /^UTF-8'[^']*'(.+)$/i.exec(value ?? '')?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
