/** Returns `attachment` with the file name in both forms of RFC 6266: each browser uses the one that it supports. */
export function attachmentDisposition(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** `name=value` after a semicolon; the value is quoted or a token. */
const PARAMETER = /;\s*([^=\s;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;

/**
 * Returns the file name in the `Content-Disposition` of a request: `filename*` (RFC 8187) if it can be decoded,
 * otherwise `filename`. Undefined if there is neither.
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
