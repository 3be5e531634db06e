/**
 * A `Content-Disposition` value that carries any file name (RFC 6266): a plain ASCII
 * one for old readers, and the true one as `filename*` (RFC 8187) where they differ.
 */
export function contentDisposition(name: string): string {
  const wellFormed = replaceLoneSurrogates(name);
  const plain = wellFormed.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  if (plain === wellFormed) return `attachment; filename="${plain}"`;
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeExtended(wellFormed)}`;
}

/** Half a surrogate pair is legal in a file name of Windows, and `encodeURIComponent` throws on it. */
function replaceLoneSurrogates(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

/** RFC 8187 section 3.2.1: these four are left alone by `encodeURIComponent` and are no attr-char. */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
