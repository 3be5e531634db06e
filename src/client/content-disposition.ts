/**
 * Returns a `Content-Disposition` value for any file name (RFC 6266). If the name is not plain ASCII, it contains an
 * ASCII replacement and the exact name as `filename*` (RFC 8187).
 */
export function contentDisposition(name: string): string {
  const wellFormed = replaceLoneSurrogates(name);
  const plain = wellFormed.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  if (plain === wellFormed) return `attachment; filename="${plain}"`;
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeExtended(wellFormed)}`;
}

/** Replaces half surrogate pairs, which Windows allows in file names and on which `encodeURIComponent` throws. */
function replaceLoneSurrogates(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

/** Also encodes four characters that `encodeURIComponent` keeps and RFC 8187 section 3.2.1 does not allow. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
